"""The three OTLP signals that are received: paths, gRPC methods, messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from spandeck_collector.journal import Signal


@dataclass(frozen=True)
class OtlpSignal:
    """One signal; `is_empty` tells whether a request of it holds no item at all."""

    signal: Signal
    name: str
    service: str
    request: type[Message]
    response: type[Message]
    is_empty: Callable[[Any], bool]

    @property
    def path(self) -> str:
        """The HTTP path, by the OTLP specification, "OTLP/HTTP Request"."""
        return f"/v1/{self.name}"

    @property
    def method(self) -> str:
        """The gRPC method."""
        return f"/{self.service}/Export"


def _no_spans(request: Any) -> bool:
    return not any(scope.spans for resource in request.resource_spans for scope in resource.scope_spans)


def _no_metrics(request: Any) -> bool:
    return not any(scope.metrics for resource in request.resource_metrics for scope in resource.scope_metrics)


def _no_logs(request: Any) -> bool:
    return not any(scope.log_records for resource in request.resource_logs for scope in resource.scope_logs)


TRACES = OtlpSignal(
    Signal.TRACES,
    "traces",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    trace_service_pb2.ExportTraceServiceRequest,
    trace_service_pb2.ExportTraceServiceResponse,
    _no_spans,
)
METRICS = OtlpSignal(
    Signal.METRICS,
    "metrics",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    metrics_service_pb2.ExportMetricsServiceRequest,
    metrics_service_pb2.ExportMetricsServiceResponse,
    _no_metrics,
)
LOGS = OtlpSignal(
    Signal.LOGS,
    "logs",
    "opentelemetry.proto.collector.logs.v1.LogsService",
    logs_service_pb2.ExportLogsServiceRequest,
    logs_service_pb2.ExportLogsServiceResponse,
    _no_logs,
)
SIGNALS = (TRACES, METRICS, LOGS)
