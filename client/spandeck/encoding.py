"""Spans and events as OTLP requests, and roughly what they occupy while they wait."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.util.types import AttributeValue

from spandeck.events import Event
from spandeck.version import __version__

SCOPE_NAME = "spandeck"
_ITEM_BYTES = 256
_VALUE_BYTES = 16
_PART_SPANS = 8

_Item = TypeVar("_Item", ReadableSpan, Event)


@dataclass(frozen=True)
class Parcel(Generic[_Item]):
    """The items that could be encoded, and their request."""

    items: Sequence[_Item]
    body: bytes


def pack_spans(spans: Sequence[ReadableSpan]) -> Parcel[ReadableSpan]:
    """The spans that can be encoded, as a request: one bad span must not take the others with it.

    Encoded in small parts, between which the program may go on: a thread that computes holds up all others. The
    parts joined are one request, since protobuf joins repeated fields.
    """
    packed: list[ReadableSpan] = []
    parts: list[bytes] = []
    for start in range(0, len(spans), _PART_SPANS):
        time.sleep(0)
        good, body = _pack_part(spans[start : start + _PART_SPANS])
        packed += good
        parts.append(body)
    return Parcel(packed, b"".join(parts))


def pack_events(events: Sequence[Event], resource: Resource) -> Parcel[Event]:
    """The events as a logs request; their attributes are encodable since `attributes.known` made them."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.extend(_pairs(resource.attributes))
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name, scope_logs.scope.version = SCOPE_NAME, __version__
    for event in events:
        record = scope_logs.log_records.add()
        record.event_name = event.name
        record.time_unix_nano = record.observed_time_unix_nano = event.at_ns
        if event.span_id:
            record.trace_id = event.trace_id.to_bytes(16)
            record.span_id = event.span_id.to_bytes(8)
        record.attributes.extend(_pairs(event.attributes))
    return Parcel(events, request.SerializeToString())


def estimated_bytes(item: ReadableSpan | Event) -> int:
    """Roughly what the item occupies: enough to bound memory, cheap enough for every span."""
    held = [item.attributes or {}]
    if isinstance(item, ReadableSpan):
        held += [event.attributes or {} for event in item.events]
    return _ITEM_BYTES + sum(
        len(name) + (len(value) if isinstance(value, str) else _VALUE_BYTES)
        for values in held
        for name, value in values.items()
    )


def _pack_part(spans: Sequence[ReadableSpan]) -> tuple[Sequence[ReadableSpan], bytes]:
    try:
        return spans, encode_spans(spans).SerializeToString()
    except Exception:
        good = [span for span in spans if _is_encodable(span)]
        return good, encode_spans(good).SerializeToString()


def _is_encodable(span: ReadableSpan) -> bool:
    try:
        encode_spans([span]).SerializeToString()
    except Exception:
        return False
    return True


def _pairs(attributes: Mapping[str, AttributeValue]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in attributes.items()]


def _value(value: object) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list | tuple):
        return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
    return AnyValue(string_value=str(value))
