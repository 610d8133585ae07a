"""Large protobuf requests, checked in runs of fields: what one costs in memory is its bytes and one run.

A run of neighbouring fields is a valid message of the same type, so each is parsed, looked at and let go. A field
that is larger than a run and holds a message is gone into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from google.protobuf.message import DecodeError, Message

from spandeck_collector.receiver.otlp_signals import OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.wire import (
    GROUP,
    LENGTH,
    MOST_DEPTH,
    Field,
    child_kind,
    encoded_varint,
    fields,
    without_deep_messages,
)

RUN_BYTES = 256 << 10
_MOST_FIELDS = 1_200_000
_MOST_PARTS = 5_000_000
_MOST_EVENTS = 1_000_000
_Pieces = list[bytes]


class LargeBody:
    """A checked request: `kept` of its bytes, with `kept_count` items, `wrong_count` more left out.

    `has_cut` tells of values that were too deep; where nothing was left out or cut, `kept` is the body itself.
    `is_wrong` says of an item that it is left out. Raises `RefusedError` and `DecodeError`.
    """

    def __init__(
        self, otlp: OtlpSignal, body: bytes, is_wrong: Callable[[Any], bool], run_bytes: int = RUN_BYTES
    ) -> None:
        self.kept_count = self.wrong_count = 0
        self.has_cut = False
        self._otlp = otlp
        self._body = body
        self._view = memoryview(body)
        self._is_wrong = is_wrong
        self._run_bytes = run_bytes
        self._field_count = self._part_count = self._event_count = 0
        pieces = self._message(otlp.request, 0, len(body), 1)
        self.kept = b"".join(pieces) if self.wrong_count or self.has_cut else body

    def _message(self, kind: type[Message], start: int, end: int, depth: int) -> _Pieces:
        pieces: _Pieces = []
        run = start
        for field in self._fields(start, end):
            is_large = field.end - field.content > self._run_bytes and field.wire_type == LENGTH
            child = child_kind(kind, field.number) if is_large else None
            if child is not None:
                pieces += self._run(kind, run, field.start)
                pieces += self._large_field(child, field, depth + 1)
                run = field.end
            elif field.end - run > self._run_bytes:
                pieces += self._run(kind, run, field.end)
                run = field.end
        return pieces + self._run(kind, run, end)

    def _fields(self, start: int, end: int) -> Iterator[Field]:
        for field in fields(self._body, start, end):
            self._field_count += 1
            if self._field_count > _MOST_FIELDS:
                raise RefusedError(Reason.TOO_MANY)
            if field.wire_type >= GROUP and field.wire_type != _FIXED_32:
                raise DecodeError("A large message has a group.")
            yield field

    def _large_field(self, kind: type[Message], field: Field, depth: int) -> _Pieces:
        if kind is self._otlp.kinds[-1]:
            if self._is_wrong(self._item(kind, field)):
                self.wrong_count += 1
                return []
            self.kept_count += 1
        self.has_cut |= depth > MOST_DEPTH
        pieces = self._message(kind, field.content, field.end, depth) if depth <= MOST_DEPTH else []
        return [encoded_varint(field.number << 3 | LENGTH), encoded_varint(sum(map(len, pieces))), *pieces]

    def _item(self, kind: type[Message], field: Field) -> Message:
        """The short fields of a large item, among them its ids."""
        item = kind()
        for part in self._fields(field.content, field.end):
            if part.number in _ID_FIELDS and part.end - part.content <= _ID_BYTES:
                item.MergeFromString(self._body[part.start : part.end])
        return item

    def _run(self, kind: type[Message], start: int, end: int) -> _Pieces:
        """Parse the fields between; what is kept of them."""
        if start == end:
            return []
        piece = cast(bytes, self._view[start:end])  # which the parser takes as it is
        try:
            message = kind.FromString(piece)
        except DecodeError:
            cut = without_deep_messages(kind, bytes(piece), _MOST_FIELDS)
            if cut is None:
                raise
            self.has_cut, piece, message = True, cut, kind.FromString(cut)
        wrong_before = self.wrong_count
        for items in self._otlp.item_lists(message):
            self._look_at(items)
        self._count_parts((message,))
        return [message.SerializeToString() if self.wrong_count > wrong_before else piece]

    def _look_at(self, items: Any) -> None:
        wrong = [index for index, item in enumerate(items) if self._is_wrong(item)]
        self.wrong_count += len(wrong)
        for index in reversed(wrong):
            del items[index]
        self.kept_count += len(items)
        self._count_parts(items)

    def _count_parts(self, messages: Any) -> None:
        for message in messages:
            for name in _PARTS.get(message.DESCRIPTOR.name, ()):
                self._part_count += len(getattr(message, name))
            if message.DESCRIPTOR.name == "Span":
                self._event_count += len(message.events)
        if self._part_count > _MOST_PARTS or self._event_count > _MOST_EVENTS:
            raise RefusedError(Reason.TOO_MANY)


_FIXED_32 = 5
_ID_BYTES = 64
_ID_FIELDS = frozenset({1, 2})
_PARTS = {
    "Span": ("attributes", "events", "links"),
    "Event": ("attributes",),
    "Link": ("attributes",),
    "LogRecord": ("attributes",),
    "Resource": ("attributes",),
    "InstrumentationScope": ("attributes",),
    "ArrayValue": ("values",),
    "KeyValueList": ("values",),
}
"""Children by the name of their message: what a request of few bytes may have very many of."""
