"""OTLP bodies of many instrumentations: the recorded exports of tests/captures, over and over as new traces."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.captures.conformance import scenarios

from benchmarks.agent_spans import Body
from spandeck_collector.receiver.admission import Media, admit
from spandeck_collector.receiver.otlp_signals import TRACES

_SERVICES = 16
_COPY_NS = 60_000_000_000
_OWN_IDS = {"gen_ai.response.id", "llm.openai.id", "ai.response.id", "gen_ai.tool.call.id", "ai.toolCall.id"}
"""Attributes that a provider makes up anew for every call."""


class Copies:
    """One recorded request; each copy of it is a minute later, under new ids, from one of a few services."""

    def __init__(self, request: ExportTraceServiceRequest) -> None:
        """Remember what differs from copy to copy."""
        self._request = request
        self._spans = [span for part in request.resource_spans for scope in part.scope_spans for span in scope.spans]
        self._own = [
            (pair.value, pair.value.string_value)
            for span in self._spans
            for pair in span.attributes
            if pair.key in _OWN_IDS
        ]
        self._services = [
            (pair.value, pair.value.string_value)
            for part in request.resource_spans
            for pair in part.resource.attributes
            if pair.key == "service.name"
        ]
        self._span_ids = [span.trace_id for span in self._spans]
        self._number = 0

    def body(self, number: int) -> Body:
        """The request as copy `number`; every call needs a greater one."""
        for span in self._spans:
            _shift(span, (number - self._number) * _COPY_NS)
        for span, trace_id in zip(self._spans, self._span_ids, strict=True):
            span.trace_id = _with_number(trace_id, number)
            for link in span.links:
                link.trace_id = _with_number(link.trace_id, number)
        _append(self._own, f"-{number}")
        _append(self._services, f"-{number % _SERVICES}")
        self._number = number
        ids = tuple(dict.fromkeys(span.trace_id.hex() for span in self._spans))
        return Body(self._request.SerializeToString(), len(self._spans), ids)


def capture_bodies() -> Iterator[Body]:
    """All recorded requests of traces as copy 1, then as copy 2, and so on without end."""
    copies = [
        Copies(_request(export))
        for scenario in scenarios.load()
        for export in scenario.exports
        if export.signal == "traces"
    ]
    for number in count(1):
        for each in copies:
            yield each.body(number)


def _request(export: scenarios.Export) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(admit(TRACES, export.plain, Media(export.media_type)).body)


def _shift(span: Span, ns: int) -> None:
    span.start_time_unix_nano += ns
    if span.end_time_unix_nano:
        span.end_time_unix_nano += ns
    for event in span.events:
        event.time_unix_nano += ns


def _with_number(trace_id: bytes, number: int) -> bytes:
    return number.to_bytes(4, "big") + trace_id[4:]


def _append(texts: list[tuple[AnyValue, str]], suffix: str) -> None:
    for value, text in texts:
        value.string_value = text + suffix
