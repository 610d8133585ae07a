"""One labelled trace that shows the way from an exporter to the page: an agent, a streamed call, a tool."""

from __future__ import annotations

import secrets
import ssl
import time
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spandeck_collector.otlp_sender import DEFAULT_ENDPOINT, OtlpSender, SendError
from spandeck_collector.parcels import TRACE_LAYOUT, ProtobufParcel

SERVICE = "spandeck-send-test"

_NS_PER_MS = 1_000_000
_AGENT_MS, _TOOL_MS, _CHAT_MS, _FIRST_TOKEN_S = 1500, 120, 1200, 0.35
_Value = str | bool | int | float


@dataclass(frozen=True)
class SentTest:
    """The trace that was sent: its id as 32 hex digits, and how many spans it has."""

    trace_id: str
    span_count: int


def send_test(
    endpoint: str = DEFAULT_ENDPOINT, token: str | None = None, tls: ssl.SSLContext | None = None
) -> SentTest:
    """Send one trace of three spans that ended just now. Raises `SendError` when it was not taken whole."""
    trace_id = secrets.token_bytes(16)
    spans = _spans(trace_id, time.time_ns())
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=_attributes({"service.name": SERVICE})),
                scope_spans=[ScopeSpans(scope=InstrumentationScope(name="spandeck"), spans=spans)],
            )
        ]
    )
    with OtlpSender(endpoint, token, tls) as sender:
        answer = sender.send(ProtobufParcel(TRACE_LAYOUT, SERVICE, request))
    if answer.error:
        raise SendError(f"The collector did not take the test trace: {answer.error}.")
    return SentTest(trace_id.hex(), len(spans))


def _spans(trace_id: bytes, end_ns: int) -> list[Span]:
    agent_start_ns = end_ns - _AGENT_MS * _NS_PER_MS
    agent = _span(
        trace_id,
        b"",
        "invoke_agent send_test",
        (agent_start_ns, end_ns),
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "send_test",
            "gen_ai.conversation.id": SERVICE,
        },
    )
    tool = _span(
        trace_id,
        agent.span_id,
        "execute_tool look_up",
        (agent_start_ns, agent_start_ns + _TOOL_MS * _NS_PER_MS),
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"},
    )
    chat = _span(
        trace_id,
        agent.span_id,
        "chat gpt-4o-mini",
        (end_ns - _CHAT_MS * _NS_PER_MS, end_ns),
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.request.stream": True,
            "gen_ai.response.time_to_first_chunk": _FIRST_TOKEN_S,
            "gen_ai.usage.input_tokens": 1200,
            "gen_ai.usage.output_tokens": 90,
        },
    )
    chat.kind = Span.SPAN_KIND_CLIENT
    return [tool, chat, agent]


def _span(trace_id: bytes, parent: bytes, name: str, times_ns: tuple[int, int], attributes: dict[str, _Value]) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=secrets.token_bytes(8),
        parent_span_id=parent,
        name=name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=times_ns[0],
        end_time_unix_nano=times_ns[1],
        attributes=_attributes(attributes),
    )


def _attributes(attributes: dict[str, _Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in attributes.items()]


def _any_value(value: _Value) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
    return AnyValue(string_value=value)
