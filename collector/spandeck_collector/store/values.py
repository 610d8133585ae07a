"""OTLP attribute values as text, the form in which the attribute maps hold them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


def attribute_texts(attributes: Iterable[KeyValue]) -> dict[str, str | None]:
    """Attributes by key; of a key sent twice the last value stays, as OTLP leaves open (trace.proto)."""
    return {attribute.key: value_text(attribute.value) for attribute in attributes}


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
    plain = plain_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def plain_value(value: AnyValue) -> Any:
    """The value as JSON knows it; NaN and infinities become texts, as in proto3 JSON."""
    field = value.WhichOneof("value")
    if field == "array_value":
        return [plain_value(item) for item in value.array_value.values]
    if field == "kvlist_value":
        return {item.key: plain_value(item.value) for item in value.kvlist_value.values}
    if field == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if field == "double_value" and not math.isfinite(value.double_value):
        return str(value.double_value)
    return getattr(value, field) if field in _SCALARS else None


_SCALARS = frozenset({"string_value", "int_value", "double_value", "bool_value"})
