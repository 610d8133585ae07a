"""Bodies that the tests of the OTLP checklist send, and raw sockets for what no client would send."""

import json
import socket
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.collector.receiver_process import Receiver

SPAN = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "chat"}


def json_request(*spans: dict[str, Any], **resource: Any) -> bytes:
    """An OTLP/JSON request of these spans."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]} | resource]}).encode()


def json_span(**fields: Any) -> bytes:
    """An OTLP/JSON request of one span."""
    return json_request(SPAN | fields)


def json_attribute(value: Any) -> bytes:
    """An OTLP/JSON request of one span with one attribute, `k`."""
    return json_span(attributes=[{"key": "k", "value": value}])


def metrics_request() -> bytes:
    request = ExportMetricsServiceRequest()
    point = request.resource_metrics.add().scope_metrics.add().metrics.add(name="tokens").gauge.data_points.add()
    point.as_int = 3
    return request.SerializeToString()


def logs_request() -> bytes:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    return request.SerializeToString()


def field(number: int, body: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def varint(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def span_request(*fields: bytes) -> bytes:
    """A protobuf request of one span with valid ids and these encoded fields."""
    return field(1, field(2, field(2, field(1, b"t" * 16) + field(2, b"s" * 8) + b"".join(fields))))


def nested_value(depth: int) -> bytes:
    """An encoded AnyValue of arrays inside one another, around a text."""
    value = field(1, b"leaf")
    for _ in range(depth):
        value = field(5, field(1, value))
    return value


def attribute(key: str, value: bytes) -> bytes:
    """An encoded attribute of a span."""
    return field(9, field(1, key.encode()) + field(2, value))


def connect(receiver: Receiver) -> socket.socket:
    return socket.create_connection((receiver.host, receiver.http_port), timeout=20)


def raw(receiver: Receiver, data: bytes) -> bytes:
    """The whole answer to hand-made bytes, until the receiver closes the connection."""
    with connect(receiver) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def head(*lines: str, path: str = "/v1/traces", content_type: str = "application/json") -> bytes:
    """The head of a POST, with further header lines."""
    first = (f"POST {path} HTTP/1.1", "host: localhost", f"content-type: {content_type}")
    return "\r\n".join([*first, *lines, "", ""]).encode()
