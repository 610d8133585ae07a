"""Seeded OTLP bodies of agent runs: 12 spans a trace, about 2.6 KB a span, ids made unique as each body is sent."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Value: TypeAlias = str | int | float | bool | list[str]

TRACE_SPANS = 12
_MARK = b"\xf7\xe1\xd3\xc5"
"""The first four bytes of every id in a template; no UTF-8 text contains them."""

_MODELS = (
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-4.1", "gpt-4.1-2025-04-14"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash"),
)
_TOOLS = ("web_search", "sql_query", "read_file", "send_email", "calculator", "vector_lookup", "http_get", "run_code")
_SERVICES = ("support-agent", "research-agent", "billing-agent", "coding-agent")
_FAILING_SHARE = 0.03
_MS = 1_000_000
_SPREAD_MS = 600_000
_VOCABULARY = 6_000
_TOOL_STEPS = (1, 1, 2, 1, 1)


@dataclass(frozen=True)
class Body:
    """One export request: `payload` with its own ids, and the hex ids of the traces in it."""

    payload: bytes
    span_count: int
    trace_ids: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """A serialized request whose ids all begin with the mark, and the rest of each trace id."""

    payload: bytes
    span_count: int
    trace_tails: tuple[bytes, ...]

    def body(self, number: int) -> Body:
        """The request with the ids of the body `number`."""
        prefix = _permuted(number)
        trace_ids = tuple((prefix + tail).hex() for tail in self.trace_tails)
        return Body(self.payload.replace(_MARK, prefix), self.span_count, trace_ids)


def templates(count: int, spans: int, seed: int) -> list[Template]:
    """`count` request templates of `spans` spans each; the same seed gives the same spans, ending about now."""
    writer = _Writer(random.Random(seed), time.time_ns())
    return [writer.template(spans, number) for number in range(count)]


class _Writer:
    def __init__(self, dice: random.Random, now_ns: int) -> None:
        self._dice = dice
        self._now_ns = now_ns
        self._ids = 0
        words = ["".join(dice.choices("etaoinshrdlucmfwyp", k=dice.randint(2, 9))) for _ in range(_VOCABULARY)]
        # Words of a language are about Zipf-distributed; compression depends on that.
        weights = [1 / (rank + 2) for rank in range(_VOCABULARY)]
        self._text = " ".join(dice.choices(words, weights, k=120_000))
        self._pending: dict[str, list[Span]] = {service: [] for service in _SERVICES}

    def template(self, spans: int, number: int) -> Template:
        """The next request, from one service; a trace may be cut between two requests, as exporters do."""
        service = _SERVICES[number % len(_SERVICES)]
        pending = self._pending[service]
        while len(pending) < spans:
            pending += self._trace(service)
        taken, self._pending[service] = pending[:spans], pending[spans:]
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.extend(_attributes(self._resource(service, number)))
        for name in ("bench.llm", "bench.tools", "bench.agent"):
            scope = resource.scope_spans.add()
            scope.scope.name, scope.scope.version = name, "1.0"
            scope.spans.extend(span for span in taken if _scope(span) == name)
        tails = tuple(dict.fromkeys(span.trace_id[len(_MARK) :] for span in taken))
        return Template(request.SerializeToString(), spans, tails)

    def _resource(self, service: str, number: int) -> Mapping[str, Value]:
        return {
            "service.name": service,
            "service.version": "1.4.2",
            "service.instance.id": f"{service}-{number % 3}",
            "deployment.environment.name": "production",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "host.name": f"node-{number % 5}",
            "process.pid": 4_000 + number % 7,
        }

    def _trace(self, service: str) -> list[Span]:
        trace_id, root_id = self._id(16), self._id(8)
        run = f"conv-{self._dice.getrandbits(32):08x}"
        common: dict[str, Value] = {
            "gen_ai.conversation.id": run,
            "session.id": run,
            "user.id": f"user-{self._dice.randint(1, 5_000)}",
            "app.version": "3.14.1",
        }
        begin = clock = self._now_ns - self._dice.randint(60_000, _SPREAD_MS) * _MS
        spans: list[Span] = []
        for tool_calls in _TOOL_STEPS:
            for draft in (self._chat(), *(self._tool() for _ in range(tool_calls))):
                draft.trace_id, draft.span_id, draft.parent_span_id = trace_id, self._id(8), root_id
                draft.attributes.extend(_attributes(common))
                clock = _place(draft, clock)
                spans.append(draft)
        root = Span(name=f"invoke_agent {service}", kind=Span.SPAN_KIND_INTERNAL, trace_id=trace_id, span_id=root_id)
        root.start_time_unix_nano, root.end_time_unix_nano = begin, clock
        root.attributes.extend(_attributes({**_agent(service), **common}))
        return [*spans, root]

    def _chat(self) -> Span:
        provider, asked, answered = self._dice.choice(_MODELS)
        values: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": asked,
            "gen_ai.response.model": answered,
            "gen_ai.request.temperature": self._dice.choice((0.0, 0.2, 0.7)),
            "gen_ai.request.max_tokens": 1_024,
            "gen_ai.usage.input_tokens": self._dice.randint(200, 6_000),
            "gen_ai.usage.output_tokens": self._dice.randint(10, 900),
            "gen_ai.response.id": f"chatcmpl-{self._dice.getrandbits(96):024x}",
            "gen_ai.response.finish_reasons": [self._dice.choice(("stop", "tool_calls"))],
            "server.address": f"api.{provider}.example",
            "gen_ai.input.messages": self._messages("user", 1_000, 4_000),
            "gen_ai.output.messages": self._messages("assistant", 200, 1_200),
        }
        return self._draft(f"chat {asked}", Span.SPAN_KIND_CLIENT, values, self._dice.randint(300, 6_000))

    def _tool(self) -> Span:
        name = self._dice.choice(_TOOLS)
        values: dict[str, Value] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": f"call_{self._dice.getrandbits(64):016x}",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": f"Runs {name} against the backing service",
            "gen_ai.tool.call.arguments": json.dumps({"query": self._words(40, 200)}),
            "gen_ai.tool.call.result": self._words(100, 1_800),
            "tool.cache_hit": self._dice.random() < 0.2,
            "tool.row_count": self._dice.randint(0, 500),
        }
        span = self._draft(f"execute_tool {name}", Span.SPAN_KIND_INTERNAL, values, self._dice.randint(5, 2_000))
        if self._dice.random() < _FAILING_SHARE:
            span.status.code, span.status.message = Status.STATUS_CODE_ERROR, "deadline exceeded after 2000 ms"
            failure = {"exception.type": "TimeoutError", "exception.message": span.status.message}
            span.events.add(name="exception").attributes.extend(_attributes(failure))
        return span

    def _draft(self, name: str, kind: Span.SpanKind.ValueType, values: Mapping[str, Value], duration_ms: int) -> Span:
        span = Span(name=name, kind=kind, end_time_unix_nano=duration_ms * _MS)
        span.attributes.extend(_attributes(values))
        return span

    def _messages(self, role: str, shortest: int, longest: int) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": self._words(shortest, longest)}]}])

    def _words(self, shortest: int, longest: int) -> str:
        length = self._dice.randint(shortest, longest)
        start = self._dice.randrange(len(self._text) - length)
        return self._text[start : start + length]

    def _id(self, size: int) -> bytes:
        self._ids += 1
        low = _permuted(self._ids)
        return _MARK + self._dice.randbytes(size - len(_MARK) - len(low)) + low


def _permuted(number: int) -> bytes:
    """Four bytes that look random and differ for different numbers below 2**32: odd factors permute them."""
    return (number * 2_654_435_761 & 0xFFFF_FFFF).to_bytes(4, "big")


def _agent(service: str) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.name": service,
        "gen_ai.agent.id": f"agent-{service}",
    }


def _place(span: Span, clock: int) -> int:
    """Start the span at `clock` (Unix ns); the end time holds the duration until then. When the next may start."""
    span.start_time_unix_nano = clock
    span.end_time_unix_nano += clock
    for event in span.events:
        event.time_unix_nano = span.end_time_unix_nano
    return span.end_time_unix_nano + _MS


def _scope(span: Span) -> str:
    return {"chat": "bench.llm", "execute_tool": "bench.tools"}.get(span.name.split()[0], "bench.agent")


def _attributes(values: Mapping[str, Value]) -> list[KeyValue]:
    return [_attribute(key, value) for key, value in values.items()]


def _attribute(key: str, value: Value) -> KeyValue:
    pair = KeyValue(key=key)
    if isinstance(value, bool):
        pair.value.bool_value = value
    elif isinstance(value, int):
        pair.value.int_value = value
    elif isinstance(value, float):
        pair.value.double_value = value
    elif isinstance(value, list):
        for item in value:
            pair.value.array_value.values.add(string_value=item)
    else:
        pair.value.string_value = value
    return pair
