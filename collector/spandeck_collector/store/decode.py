"""Journal records to Arrow tables: one row a span, span event, log record and metric point, nothing interpreted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandeck_collector.journal import Record, Signal
from spandeck_collector.store.columns import Resources, Rows
from spandeck_collector.store.decode_metrics import METRIC_COLUMNS, append_metric
from spandeck_collector.store.values import attribute_texts, value_text
from spandeck_schema.mapping import RESOURCE_PREFIX, attribute_slots, load_mapping, resource_slots

_TEXT = pa.string()
_TIME = pa.timestamp("us")
SPAN_COLUMNS = (
    ("arrival", pa.int64()),
    ("trace_id", _TEXT),
    ("span_id", _TEXT),
    ("parent_span_id", _TEXT),
    ("scope", _TEXT),
    ("scope_version", _TEXT),
    ("name", _TEXT),
    ("otel_kind", _TEXT),
    ("started_ns", pa.uint64()),
    ("ended_ns", pa.uint64()),
    ("otel_status", _TEXT),
    ("status_message", _TEXT),
    ("links", _TEXT),
    ("received_at", _TIME),
)
EVENT_COLUMNS = (
    ("arrival", pa.int64()),
    ("trace_id", _TEXT),
    ("span_id", _TEXT),
    ("name", _TEXT),
    ("occurred_at", _TIME),
    ("received_at", _TIME),
)
LOG_COLUMNS = (
    ("trace_id", _TEXT),
    ("span_id", _TEXT),
    ("scope", _TEXT),
    ("event_name", _TEXT),
    ("severity", _TEXT),
    ("body", _TEXT),
    ("occurred_at", _TIME),
    ("received_at", _TIME),
)
_ATTRIBUTE_SLOTS = attribute_slots(load_mapping())
_RESOURCE_SLOTS = resource_slots(load_mapping())
_KINDS = {number: name.removeprefix("SPAN_KIND_") for name, number in Span.SpanKind.items()}
_STATUSES = {number: name.removeprefix("STATUS_CODE_") for name, number in Status.StatusCode.items()}


@dataclass
class Batch:
    """Decoded records: rows by table, and the refusals that the receiver counted."""

    spans: Rows = field(default_factory=lambda: Rows(SPAN_COLUMNS, _ATTRIBUTE_SLOTS))
    events: Rows = field(default_factory=lambda: Rows(EVENT_COLUMNS))
    logs: Rows = field(default_factory=lambda: Rows(LOG_COLUMNS))
    metrics: Rows = field(default_factory=lambda: Rows(METRIC_COLUMNS))
    resources: Resources = field(default_factory=lambda: Resources(_RESOURCE_SLOTS, RESOURCE_PREFIX))
    refusals: list[dict[str, Any]] = field(default_factory=list)


def decode(records: Iterable[Record]) -> Batch:
    """Decode records of any signal, in order. Raises `google.protobuf.message.DecodeError` for a damaged one."""
    batch = Batch()
    for record in records:
        received_us = record.received_at_ns // 1000
        if record.signal == Signal.TRACES:
            _traces(batch, ExportTraceServiceRequest.FromString(record.body), received_us)
        elif record.signal == Signal.LOGS:
            _logs(batch, ExportLogsServiceRequest.FromString(record.body), received_us)
        elif record.signal == Signal.METRICS:
            _metrics(batch, ExportMetricsServiceRequest.FromString(record.body), received_us)
        else:
            batch.refusals += json.loads(record.body)["refusals"]
    return batch


def _traces(batch: Batch, request: ExportTraceServiceRequest, received_us: int) -> None:
    for resource_spans in request.resource_spans:
        resource_row = batch.resources.append(attribute_texts(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            scope = (scope_spans.scope.name or None, scope_spans.scope.version or None)
            for span in scope_spans.spans:
                _span(batch, span, scope, resource_row, received_us)


def _span(batch: Batch, span: Span, scope: tuple[str | None, str | None], resource_row: int, received_us: int) -> None:
    arrival = len(batch.spans)
    trace_id, span_id = span.trace_id.hex(), span.span_id.hex()
    row = (
        arrival,
        trace_id,
        span_id,
        span.parent_span_id.hex() or None,
        *scope,
        span.name,
        _KINDS.get(span.kind, str(span.kind)),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _STATUSES.get(span.status.code, str(span.status.code)),
        span.status.message,
        _links(span) if span.links else None,
        received_us,
    )
    batch.spans.append(row, attribute_texts(span.attributes), resource_row)
    for event in span.events:
        occurred_us = event.time_unix_nano // 1000
        batch.events.append(
            (arrival, trace_id, span_id, event.name, occurred_us, received_us),
            attribute_texts(event.attributes),
        )


def _links(span: Span) -> str:
    links = [
        {
            "trace_id": link.trace_id.hex(),
            "span_id": link.span_id.hex(),
            "attributes": attribute_texts(link.attributes),
        }
        for link in span.links
    ]
    return json.dumps(links, ensure_ascii=False)


def _logs(batch: Batch, request: ExportLogsServiceRequest, received_us: int) -> None:
    for resource_logs in request.resource_logs:
        resource_row = batch.resources.append(attribute_texts(resource_logs.resource.attributes))
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                row = (
                    record.trace_id.hex() or None,
                    record.span_id.hex() or None,
                    scope_logs.scope.name or None,
                    record.event_name or None,
                    record.severity_text or None,
                    value_text(record.body),
                    (record.time_unix_nano or record.observed_time_unix_nano) // 1000,
                    received_us,
                )
                batch.logs.append(row, attribute_texts(record.attributes), resource_row)


def _metrics(batch: Batch, request: ExportMetricsServiceRequest, received_us: int) -> None:
    for resource_metrics in request.resource_metrics:
        resource_row = batch.resources.append(attribute_texts(resource_metrics.resource.attributes))
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                append_metric(batch.metrics, metric, scope_metrics.scope.name or None, resource_row, received_us)
