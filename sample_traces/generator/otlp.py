"""Spans as OTLP/JSON: hex ids, 64-bit integers as strings, enums as numbers (OTLP, "JSON Protobuf Encoding")."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

NANOSECONDS_PER_MS = 1_000_000
NANOSECONDS_PER_S = 1_000_000_000

FLUSH_INTERVAL_NS = 30 * NANOSECONDS_PER_S
"""How long an exporter of the samples collects spans before it sends a request."""

Value = str | bool | int | float | Sequence[str] | None
Attributes = Mapping[str, Value]


class SpanKind(IntEnum):
    """`SpanKind` of OTLP."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


class StatusCode(IntEnum):
    """`StatusCode` of OTLP."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(frozen=True)
class Scope:
    """The instrumentation library that made a span."""

    name: str
    version: str


@dataclass(frozen=True)
class Resource:
    """Who sent a span: one running instance of a release of a service."""

    service: str
    version: str
    environment: str

    def attributes(self) -> Attributes:
        """The resource attributes, named as the OpenTelemetry conventions name them."""
        return {
            "service.name": self.service,
            "service.version": self.version,
            "deployment.environment.name": self.environment,
            "telemetry.sdk.language": "python",
        }


@dataclass(frozen=True)
class Event:
    """Something that happened at one moment of a span."""

    name: str
    at_ns: int
    attributes: Attributes = field(default_factory=dict)


@dataclass
class Span:
    """One span; an attribute whose value is None is left out."""

    trace_id: str
    span_id: str
    parent_span_id: str
    resource: Resource
    scope: Scope
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int = 0
    attributes: dict[str, Value] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    status: StatusCode = StatusCode.UNSET
    status_message: str = ""


@dataclass(frozen=True)
class Export:
    """One ExportTraceServiceRequest and the moment at which an exporter would have sent it."""

    sent_at_ns: int
    request: dict[str, Any]

    def line(self) -> str:
        """The request as one line of JSON."""
        return json.dumps(self.request, separators=(",", ":"), ensure_ascii=False)


def exports(spans: Iterable[Span]) -> Iterator[Export]:
    """Group the spans of one trace as batch exporters do: by service and flush, in order of their end."""
    batches: defaultdict[tuple[int, Resource], list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: (span.end_ns, span.start_ns)):
        batches[span.end_ns // FLUSH_INTERVAL_NS, span.resource].append(span)
    for (_, resource), batch in batches.items():
        yield Export(batch[-1].end_ns, {"resourceSpans": [_resource_spans(resource, batch)]})


def _resource_spans(resource: Resource, spans: Sequence[Span]) -> dict[str, Any]:
    by_scope: defaultdict[Scope, list[dict[str, Any]]] = defaultdict(list)
    for span in spans:
        by_scope[span.scope].append(_span(span))
    return {
        "resource": {"attributes": _attributes(resource.attributes())},
        "scopeSpans": [
            {"scope": {"name": scope.name, "version": scope.version}, "spans": encoded}
            for scope, encoded in by_scope.items()
        ],
    }


def _span(span: Span) -> dict[str, Any]:
    encoded: dict[str, Any] = {"traceId": span.trace_id, "spanId": span.span_id}
    if span.parent_span_id:
        encoded["parentSpanId"] = span.parent_span_id
    encoded |= {
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
    }
    if span.events:
        encoded["events"] = [
            {
                "name": event.name,
                "timeUnixNano": str(event.at_ns),
                "attributes": _attributes(event.attributes),
            }
            for event in span.events
        ]
    if span.status is not StatusCode.UNSET:
        encoded["status"] = {"code": int(span.status)}
        if span.status_message:
            encoded["status"]["message"] = span.status_message
    return encoded


def _attributes(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items() if value is not None]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case None:
            return {}
    return {"arrayValue": {"values": [_value(each) for each in value]}}
