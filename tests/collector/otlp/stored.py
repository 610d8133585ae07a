"""What the store holds of a request: sent to a running stack, looked for by its service."""

from itertools import count
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.stack import Stack
from tests.support.waiting import eventually
from tests.support.web import PROTOBUF

START_NS, END_NS = 1_790_000_000_000_000_000, 1_790_000_001_000_000_000
_numbers = count(1)


def span(**fields: Any) -> Span:
    """A span of its own trace, with valid ids and times."""
    number = next(_numbers)
    ids = {"trace_id": (0x0715 << 64 | number).to_bytes(16, "big"), "span_id": (1 << 40 | number).to_bytes(8, "big")}
    times = {"start_time_unix_nano": START_NS, "end_time_unix_nano": END_NS}
    return Span(**({"name": "chat"} | ids | times | fields))


def request_of(service: str, *spans: Span) -> ExportTraceServiceRequest:
    """An export request of one service."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    resource.scope_spans.add().spans.extend(spans)
    return request


def send(stack: Stack, body: bytes, content_type: str = PROTOBUF) -> None:
    """Send a request that must be taken."""
    answer = stack.post(body, content_type)
    assert answer.status == 200, answer.body


def rows_of(stack: Stack, service: str, expected: int) -> list[dict[str, Any]]:
    """The spans of a service in the order of their ids, once there are `expected` of them."""
    sql = "select * from spans where service = ? order by trace_id, span_id"
    eventually(lambda: len(stack.rows("select 1 from spans where service = ?", service)) >= expected)
    rows = stack.records(sql, service)
    assert len(rows) == expected
    return rows


def row_of(stack: Stack, service: str, one: Span) -> dict[str, Any]:
    """The row of a span that is sent as the only one of a service."""
    send(stack, request_of(service, one).SerializeToString())
    return rows_of(stack, service, 1)[0]
