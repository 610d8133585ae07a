"""One trace of any length: agents below a root, each with model and tool calls."""

from __future__ import annotations

import time
import uuid

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.senders import Connection
from benchmarks.stack import Stack

_MS = 1_000_000
_BRANCH = 50
_BODY = 2_000
_DEADLINE_S = 120.0


def send_trace(stack: Stack, spans: int) -> str:
    """Send a trace of `spans` spans and wait until all can be asked for; its id."""
    trace_id = uuid.uuid4().bytes
    made = _spans(trace_id, spans, time.time_ns() - spans * _MS)
    connection = Connection(stack.settings.http_port)
    for first in range(0, spans, _BODY):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.append(_text("service.name", "long-runs"))
        resource.scope_spans.add().spans.extend(made[first : first + _BODY])
        connection.send(request.SerializeToString())
    connection.close()
    give_up = time.monotonic() + _DEADLINE_S
    while time.monotonic() < give_up:
        found = stack.rows("select span_count from traces where trace_id = ?", [trace_id.hex()])
        if found and found[0]["span_count"] == spans:
            return trace_id.hex()
        time.sleep(0.2)
    raise TimeoutError(f"{spans:,} spans of one trace were not stored within {_DEADLINE_S:.0f} s.")


def _spans(trace_id: bytes, count: int, began_ns: int) -> list[Span]:
    ids = [number.to_bytes(8, "big") for number in range(1, count + 1)]
    made = []
    for number, span_id in enumerate(ids):
        start = began_ns + number * _MS
        kind = "invoke_agent" if number % _BRANCH == 0 else "chat" if number % 2 else "execute_tool"
        parent = b"" if number == 0 else ids[0] if number % _BRANCH == 0 else ids[number - number % _BRANCH]
        length = count if number == 0 else _BRANCH if number % _BRANCH == 0 else 1
        span = Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent,
            name=f"{kind} {number}",
            start_time_unix_nano=start,
            end_time_unix_nano=start + length * _MS,
        )
        span.attributes.append(_text("gen_ai.operation.name", kind))
        span.attributes.append(_text("gen_ai.request.model", "gpt-4o"))
        made.append(span)
    return made


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))
