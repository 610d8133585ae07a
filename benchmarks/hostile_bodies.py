"""Bodies at the limit of what is taken, and bombs: few bytes that would become very many."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_LIMIT = 64 << 20
_TRACE_ID, _SPAN_ID = b"t" * 16, b"s" * 8
_ATTRIBUTES, _VALUE = 20, "v" * 60


@dataclass(frozen=True)
class Case:
    """A body that is sent `times` at once; it is made when it is needed."""

    name: str
    make: Callable[[], bytes]
    content_type: str = PROTOBUF
    encoding: str | None = None
    times: int = 1

    @property
    def headers(self) -> dict[str, str]:
        """Of its request."""
        return {"Content-Type": self.content_type} | ({"Content-Encoding": self.encoding} if self.encoding else {})


def small_request(count: int, first: int) -> bytes:
    """An export request of `count` spans with ids from `first`."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(first, first + count):
        span = spans.add(trace_id=_TRACE_ID, span_id=number.to_bytes(8, "big"), name="chat")
        for index in range(_ATTRIBUTES):
            span.attributes.add(key=f"gen_ai.attribute.{index}").value.string_value = _VALUE
    return request.SerializeToString()


def field(number: int, body: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length, encoded = len(body), b""
    while length > 0x7F:
        encoded += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + encoded + bytes([length]) + body


def cases() -> list[Case]:
    """All cases, those that are taken first."""
    return [
        Case("64 MiB of spans", _spans),
        Case("64 MiB of spans, gzip", lambda: gzip.compress(_spans(), 1), encoding="gzip"),
        Case("64 MiB of spans, JSON", _json_spans, JSON),
        Case("64 MiB in one name", lambda: _span(field(5, b"x" * (_LIMIT - 100)))),
        Case("800,000 tiny spans, gzip", lambda: gzip.compress(_tiny_spans(800_000), 1), encoding="gzip"),
        Case("1 byte above the limit", lambda: _span(field(5, b"x" * _LIMIT))),
        Case("1000:1 gzip x 8", lambda: gzip.compress(bytes(1000 << 20), 9), encoding="gzip", times=8),
        Case("15 million empty events", lambda: gzip.compress(_span(b"\x5a\x00" * 15_000_000), 1), encoding="gzip"),
        Case("15 million empty values", _empty_values, encoding="gzip"),
        Case(
            "12 million JSON numbers",
            lambda: gzip.compress(b'{"x":[' + b"1000," * 12_000_000 + b"1]}", 1),
            JSON,
            "gzip",
        ),
        Case("2 million JSON objects", lambda: gzip.compress(b'{"x":[' + b"{}," * 1_900_000 + b"1]}", 1), JSON, "gzip"),
    ]


def _span(fields: bytes) -> bytes:
    return field(1, field(2, field(2, field(1, _TRACE_ID) + field(2, _SPAN_ID) + fields)))


def _empty_values() -> bytes:
    return gzip.compress(_span(field(9, field(2, field(5, b"\n\0" * 15_000_000)))), 1)


def _tiny_spans(count: int) -> bytes:
    return field(1, field(2, field(2, field(1, _TRACE_ID) + field(2, _SPAN_ID)) * count))


def _spans() -> bytes:
    one = ExportTraceServiceRequest.FromString(small_request(1, 1)).resource_spans[0].scope_spans[0].spans[0]
    encoded = field(2, one.SerializeToString())
    return field(1, field(2, encoded * ((_LIMIT - 100) // len(encoded))))


def _json_spans() -> bytes:
    attributes = [
        {"key": f"gen_ai.attribute.{index}", "value": {"stringValue": _VALUE}} for index in range(_ATTRIBUTES)
    ]
    span = {"traceId": _TRACE_ID.hex(), "spanId": _SPAN_ID.hex(), "name": "chat", "attributes": attributes}
    count = (_LIMIT - 100) // (len(json.dumps(span)) + 2)
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span] * count}]}]}).encode()
