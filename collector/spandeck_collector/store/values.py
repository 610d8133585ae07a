"""OTLP attribute values as text, as the attribute maps hold them; what is too long or too deep is cut."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

MOST_TEXT_BYTES = 65_536
"""What is kept of an attribute's value, from its beginning."""

MOST_LEVELS = 32
"""Arrays and maps inside one another that are kept of a value."""

TRUNCATED = "spandeck.truncated"
"""The attribute that tells what was cut: a JSON object of names and bytes before the cut, null for one too deep."""

MOST_RESOURCE_BYTES = 16_384
"""What is kept of all values of a resource together, from the first to the last: a resource stands at each span."""

_TOO_DEEP = f"(nested deeper than {MOST_LEVELS} levels)"
_SURELY_SHORT = MOST_TEXT_BYTES // 4  # characters, of at most four bytes each
_MOST_NAMED, _LONGEST_NAME = 20, 100

Texts = dict[str, str | None]


class CutText(str):
    """The text of a value of which deep parts were left out."""

    __slots__ = ()


def attribute_texts(attributes: Iterable[KeyValue]) -> Texts:
    """Attributes by key; of a key sent twice the last value stays, as OTLP leaves open (trace.proto)."""
    return {attribute.key: value_text(attribute.value) for attribute in attributes}


def bounded(texts: Texts) -> Texts:
    """`texts` with none above `MOST_TEXT_BYTES`, and a note of those that were cut; `texts` itself where none was."""
    long = [
        name
        for name, text in texts.items()
        if text is not None and (len(text) > _SURELY_SHORT or text.__class__ is CutText)
    ]
    return _bounded(texts, long) if long else texts


def bounded_text(text: str, most_bytes: int = MOST_TEXT_BYTES) -> str:
    """The beginning of a text, at most `most_bytes` of it."""
    if len(text) <= most_bytes // 4:
        return text
    return text.encode()[:most_bytes].decode(errors="ignore")


def bounded_resource(attributes: Iterable[KeyValue]) -> tuple[Texts, int]:
    """The attributes of a resource as texts, at most `MOST_RESOURCE_BYTES` of values together, and their bytes."""
    texts = attribute_texts(attributes)
    size = text_bytes(texts)
    if size <= MOST_RESOURCE_BYTES:
        return bounded(texts), size
    kept = _bounded(texts, list(texts), MOST_RESOURCE_BYTES)
    return kept, text_bytes(kept)


def text_bytes(texts: Texts) -> int:
    """Bytes of all names and values together."""
    return sum(len(name.encode()) + len((text or "").encode()) for name, text in texts.items())


def _bounded(texts: Texts, long: list[str], most_together: int | None = None) -> Texts:
    kept = texts.copy()
    note: dict[str, int | None] = {}
    left = most_together
    for name in long:
        text = texts[name]
        if text is None:
            continue
        kept[name] = short = str(bounded_text(text, MOST_TEXT_BYTES if left is None else left))
        if left is not None:
            left -= len(short.encode())
        if len(short) < len(text):
            note[name] = len(text.encode())
        elif isinstance(text, CutText):
            note[name] = None
    if note:
        kept[TRUNCATED] = json.dumps({name[:_LONGEST_NAME]: note[name] for name in list(note)[:_MOST_NAMED]})
    return kept


def value_text(value: AnyValue) -> str | None:
    """A scalar as plain text, an array or map as JSON, bytes as base64, an empty value as None."""
    field = value.WhichOneof("value")
    if field == "string_value":
        return value.string_value
    if field == "int_value":
        return str(value.int_value)
    if field == "double_value":
        return repr(value.double_value)
    if field == "bool_value":
        return "true" if value.bool_value else "false"
    if field is None:
        return None
    return _text_of_many(value)


def _text_of_many(value: AnyValue) -> str:
    if value.WhichOneof("value") == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    text = json.dumps(plain_value(value), ensure_ascii=False)
    return CutText(text) if _TOO_DEEP in text and _depth(value) > MOST_LEVELS else text


def plain_value(value: AnyValue, level: int = 1) -> Any:
    """The value as JSON knows it, without what is too deep; NaN and infinities become texts, as in proto3 JSON."""
    field = value.WhichOneof("value")
    if level > MOST_LEVELS and field in _NESTING:
        return _TOO_DEEP
    if field == "array_value":
        return [plain_value(item, level + 1) for item in value.array_value.values]
    if field == "kvlist_value":
        return {item.key: plain_value(item.value, level + 1) for item in value.kvlist_value.values}
    if field == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if field == "double_value" and not math.isfinite(value.double_value):
        return str(value.double_value)
    return getattr(value, field) if field in _SCALARS else None


def _depth(value: AnyValue) -> int:
    """How many arrays and maps are inside one another."""
    items = value.array_value.values, (item.value for item in value.kvlist_value.values)
    inner = max((_depth(item) for part in items for item in part), default=0)
    return inner + (value.WhichOneof("value") in _NESTING)


_NESTING = frozenset({"array_value", "kvlist_value"})
_SCALARS = frozenset({"string_value", "int_value", "double_value", "bool_value"})
