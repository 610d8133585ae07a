"""The three OTLP signals that are received: paths, gRPC methods, messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from spandeck_collector.journal import Signal
from spandeck_collector.wire import child_kind


@dataclass(frozen=True)
class OtlpSignal:
    """One signal; `lists` are the names of the repeated fields from a request down to its items."""

    signal: Signal
    name: str
    service: str
    request: type[Message]
    response: type[Message]
    lists: tuple[str, str, str]

    @property
    def path(self) -> str:
        """The HTTP path, by the OTLP specification, "OTLP/HTTP Request"."""
        return f"/v1/{self.name}"

    @property
    def method(self) -> str:
        """The gRPC method."""
        return f"/{self.service}/Export"

    @cached_property
    def kinds(self) -> tuple[type[Message], ...]:
        """The messages that hold those lists (request, of a resource, of a scope), and last that of an item."""
        kinds = [self.request]
        for name in self.lists:
            child = child_kind(kinds[-1], name)
            if child is None:
                raise ValueError(f"{name} is no list of messages.")
            kinds.append(child)
        return tuple(kinds)

    def item_lists(self, message: Message) -> Iterator[Any]:
        """The lists of items in a request or in one of its parts."""
        containers = self.kinds[:-1]
        if type(message) not in containers:
            return
        parts: list[Any] = [message]
        *names, items = self.lists[containers.index(type(message)) :]
        for name in names:
            parts = [child for part in parts for child in getattr(part, name)]
        yield from (getattr(part, items) for part in parts)

    def is_empty(self, request: Message) -> bool:
        """Whether a request holds no item at all."""
        return not any(self.item_lists(request))


TRACES = OtlpSignal(
    Signal.TRACES,
    "traces",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    trace_service_pb2.ExportTraceServiceRequest,
    trace_service_pb2.ExportTraceServiceResponse,
    ("resource_spans", "scope_spans", "spans"),
)
METRICS = OtlpSignal(
    Signal.METRICS,
    "metrics",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    metrics_service_pb2.ExportMetricsServiceRequest,
    metrics_service_pb2.ExportMetricsServiceResponse,
    ("resource_metrics", "scope_metrics", "metrics"),
)
LOGS = OtlpSignal(
    Signal.LOGS,
    "logs",
    "opentelemetry.proto.collector.logs.v1.LogsService",
    logs_service_pb2.ExportLogsServiceRequest,
    logs_service_pb2.ExportLogsServiceResponse,
    ("resource_logs", "scope_logs", "log_records"),
)
SIGNALS = (TRACES, METRICS, LOGS)
