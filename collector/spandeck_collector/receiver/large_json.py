"""Large OTLP/JSON requests, converted item by item: what one costs in memory is its bytes, as sent and as protobuf.

The texts of items are cut out of the body first; what is left, the skeleton, is parsed as one, and each item when its
turn comes. A place where an item was cut out reads `NaN`, which JSON itself cannot hold outside of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from spandeck_collector.receiver.item_limits import check_json, check_json_text
from spandeck_collector.receiver.otlp_json import TOKEN, Depth, fill, json_value, list_of, refuse_constant
from spandeck_collector.receiver.otlp_signals import OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.wire import LENGTH, encoded_varint

_ITEM_DEPTH = 7  # {"resourceSpans": [{"scopeSpans": [{"spans": [{
_ITEM_LEVEL = 3
_ITEMS_AT_ONCE = 64
_MOST_PART_BYTES = 16 << 20
_MOST_VALUES = 1_000_000
_MOST_BRACKETS = 6_000_000


class _Part(NamedTuple):
    """Where the text of an object stands in the body."""

    start: int
    end: int


class LargeJson:
    """A converted request: its bytes as protobuf, `kept_count` items in them, `wrong_count` more left out.

    `has_cut` tells of values that were too deep. `take_out_wrong` deletes items of a list and says how many.
    Raises `OtlpJsonError` and `RefusedError`.
    """

    def __init__(self, otlp: OtlpSignal, body: bytes, take_out_wrong: Callable[[Any], int]) -> None:
        self.kept_count = self.wrong_count = 0
        self._otlp = otlp
        self._body = body
        self._take_out_wrong = take_out_wrong
        self._depth = Depth()
        self.kept = b"".join(self._message(0, self._skeleton()))

    @property
    def has_cut(self) -> bool:
        """Whether values were too deep."""
        return self._depth.has_cut

    def _skeleton(self) -> Any:
        check_json_text(self._body, _MOST_BRACKETS)
        parts = list(_parts(self._body))
        ends = [0, *(part.end for part in parts)]
        starts = [*(part.start for part in parts), len(self._body)]
        text = b"NaN".join(self._body[end:start] for end, start in zip(ends, starts, strict=True))
        _check_size(text)
        waiting = iter(parts)

        def constant(name: str) -> _Part:
            part = next(waiting, None) if name == "NaN" else None
            return refuse_constant(name) if part is None else part

        request = json_value(text, constant)
        check_json(self._otlp, request)
        return request

    def _message(self, level: int, value: Any) -> list[bytes]:
        """The encoded message of a level (0: request, 1: resource, 2: scope) that `value` tells of, in pieces."""
        kind, name = self._otlp.kinds[level], self._otlp.lists[level]
        children = kind.DESCRIPTOR.fields_by_name[name]
        values = self._loaded(value)
        own = values
        if isinstance(values, dict):
            own = {key: self._resolved(item) for key, item in values.items() if key != children.json_name}
        message = kind()
        self._depth.level = level
        fill(message, own, self._depth)
        pieces = [message.SerializeToString()]
        listed = values.get(children.json_name) if isinstance(values, dict) else None
        items = [] if listed is None else list_of(children.json_name, listed)
        if level + 1 == _ITEM_LEVEL:
            return pieces + [
                self._items(items[at : at + _ITEMS_AT_ONCE]) for at in range(0, len(items), _ITEMS_AT_ONCE)
            ]
        for item in items:
            inner = self._message(level + 1, item)
            size = sum(map(len, inner))
            pieces += [encoded_varint(children.number << 3 | LENGTH), encoded_varint(size), *inner]
        return pieces

    def _items(self, values: list[Any]) -> bytes:
        """Some items of a scope, as the message of that scope with nothing else in it."""
        message = self._otlp.kinds[_ITEM_LEVEL - 1]()
        items = getattr(message, self._otlp.lists[-1])
        for value in values:
            self._depth.level = _ITEM_LEVEL
            fill(items.add(), self._loaded(value), self._depth)
        self.wrong_count += self._take_out_wrong(items)
        self.kept_count += len(items)
        return message.SerializeToString()

    def _loaded(self, value: Any) -> Any:
        if not isinstance(value, _Part):
            return value
        text = self._body[value.start : value.end]
        _check_size(text)
        return json_value(text)

    def _resolved(self, value: Any) -> Any:
        """`value` with all that was cut out of it."""
        if isinstance(value, _Part):
            return self._loaded(value)
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        return value


def _parts(body: bytes) -> Iterator[_Part]:
    """The objects at the depth of items. Brackets that do not match are left to the parser of what is around."""
    depth = start = 0
    for token in TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"{[":
            depth += 1
            if depth == _ITEM_DEPTH:
                start = token.start()
        elif first in b"}]":
            if depth == _ITEM_DEPTH and body[start] == ord("{"):
                yield _Part(start, token.end())
            depth -= 1


def _check_size(text: bytes) -> None:
    """Bound what a parsed text takes, which can be many times its length."""
    check_json_text(text, _MOST_VALUES)
    if len(text) > _MOST_PART_BYTES or text.count(b",") > _MOST_VALUES:
        raise RefusedError(
            Reason.TOO_MANY,
            f"One item, or what is around the items, is above {_MOST_PART_BYTES} bytes or {_MOST_VALUES} values in "
            "JSON: send it as protobuf.",
        )
