"""Journal records to Arrow tables: one row a span, span event, log record and metric point, nothing interpreted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.store.columns import Received, Resources, Rows
from spandeck_collector.store.content import ContentKeeping, Contents, Owner, SpanEvents
from spandeck_collector.store.content_parts import HOUR_US
from spandeck_collector.store.decode_logs import LOG_COLUMNS, LogTables, append_logs
from spandeck_collector.store.decode_metrics import METRIC_COLUMNS, Origin, append_metric
from spandeck_collector.store.values import attribute_texts, bounded, bounded_resource, bounded_text
from spandeck_collector.wire import parse
from spandeck_schema.mapping import RESOURCE_PREFIX, attribute_slots, load_mapping, resource_slots
from spandeck_schema.semantic_conventions import SPANDECK_ALERT

MOST_SPANS = 20_000
"""Spans of one transaction: a request may hold millions, which would take gigabytes at once."""

MOST_RESOURCE_BYTES_AT_ONCE = 32 << 20
"""Resources of one transaction, each counted once a span: of few bytes sent, they can become very many stored."""

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
    ("from_log", pa.bool_()),
    ("dropped_count", pa.int64()),
    ("address", _TEXT),
)
EVENT_COLUMNS = (
    ("arrival", pa.int64()),
    ("trace_id", _TEXT),
    ("span_id", _TEXT),
    ("name", _TEXT),
    ("occurred_at", _TIME),
    ("received_at", _TIME),
)
_EVALUATION_EVENT = "gen_ai.evaluation.result"
_EVALUATION_SLOTS = (
    "evaluation.name",
    "evaluations.0.evaluation.name",
    "trace.evaluations.0.evaluation.name",
    "session.evaluations.0.evaluation.name",
)
_ATTRIBUTE_SLOTS = tuple(dict.fromkeys((*attribute_slots(load_mapping()), *_EVALUATION_SLOTS)))
_RESOURCE_SLOTS = resource_slots(load_mapping())
_KINDS = {number: name.removeprefix("SPAN_KIND_") for name, number in Span.SpanKind.items()}
_STATUSES = {number: name.removeprefix("STATUS_CODE_") for name, number in Status.StatusCode.items()}


@dataclass
class Batch:
    """Decoded records: rows by table, the names of span events, and the refusals that the receiver counted.

    `resource_bytes` is the size of all spans' resources, that of each counted once a span.
    """

    spans: Rows = field(default_factory=lambda: Rows(SPAN_COLUMNS, _ATTRIBUTE_SLOTS))
    events: Rows = field(default_factory=lambda: Rows(EVENT_COLUMNS))
    logs: Rows = field(default_factory=lambda: Rows(LOG_COLUMNS))
    metrics: Rows = field(default_factory=lambda: Rows(METRIC_COLUMNS))
    resources: Resources = field(default_factory=lambda: Resources(_RESOURCE_SLOTS, RESOURCE_PREFIX))
    event_names: set[str] = field(default_factory=set)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    keeping: ContentKeeping = field(default_factory=ContentKeeping)
    resource_bytes: int = 0

    def __post_init__(self) -> None:
        """The content of the rows, kept as `keeping` says."""
        self.contents = Contents(self.keeping)

    @property
    def may_evaluate(self) -> bool:
        """Whether results of evaluations can be in it: attributes or events of spans tell some, or there are logs."""
        told = self.spans.has_any(_EVALUATION_SLOTS) or _EVALUATION_EVENT in self.event_names
        return told or len(self.logs) > 0

    def is_full(self, most_spans: int) -> bool:
        """Whether no further span may be added: the database would hold too much before it can write any of it."""
        return len(self.spans) >= most_spans or self.resource_bytes >= MOST_RESOURCE_BYTES_AT_ONCE

    @property
    def tells_alerts(self) -> bool:
        """Whether events of spans tell alerts that their program raised."""
        return SPANDECK_ALERT in self.event_names

    @property
    def present_slots(self) -> frozenset[str]:
        """The slots in which a span or its resource has a value."""
        return self.spans.present_slots() | self.resources.present_slots()

    @cached_property
    def successor(self) -> Batch:
        """The batch that takes what did not fit into this one."""
        return Batch(keeping=self.keeping)


def decode(
    records: Iterable[Record], most_spans: int = MOST_SPANS, keeping: ContentKeeping | None = None
) -> Iterator[tuple[Batch, Position | None]]:
    """Decode records of any signal, in order, into batches of at most `most_spans` spans; content apart, by `keeping`.

    Beside each batch stands the position up to which all records are in it or in an earlier one; None while the
    first record is not through. Raises `google.protobuf.message.DecodeError` for a damaged record.
    """
    batch, done = Batch(keeping=keeping or ContentKeeping()), None
    for record in records:
        if record.signal == Signal.TRACES:
            for full in _fill_with_spans(batch, record, most_spans):
                yield full, done
                batch = full.successor
        else:
            _OTHERS[record.signal](batch, record)
        done = record.position
        if batch.is_full(most_spans):
            yield batch, done
            batch = batch.successor
    yield batch, done


def _fill_with_spans(batch: Batch, record: Record, most_spans: int) -> Iterator[Batch]:
    """Put a record's spans into `batch`; one that is full is yielded, and its `successor` is filled on."""
    received = Received(record.received_at_ns // 1000, record.address)
    for resource_spans in parse(ExportTraceServiceRequest, record.body).resource_spans:
        resource, resource_bytes = bounded_resource(resource_spans.resource.attributes)
        resource_row = batch.resources.append(resource)
        for scope_spans in resource_spans.scope_spans:
            scope = (scope_spans.scope.name or None, scope_spans.scope.version or None)
            for span in scope_spans.spans:
                if batch.is_full(most_spans):
                    yield batch
                    batch = batch.successor
                    resource_row = batch.resources.append(resource)
                batch.resource_bytes += resource_bytes
                _span(batch, span, scope, resource_row, received)


def _span(
    batch: Batch, span: Span, scope: tuple[str | None, str | None], resource_row: int, received: Received
) -> None:
    arrival, received_us = len(batch.spans), received.at_us
    trace_id, span_id = span.trace_id.hex(), span.span_id.hex()
    row = (
        arrival,
        trace_id,
        span_id,
        span.parent_span_id.hex() or None,
        *scope,
        bounded_text(span.name),
        _KINDS.get(span.kind, str(span.kind)),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _STATUSES.get(span.status.code, str(span.status.code)),
        bounded_text(span.status.message),
        _links(span) if span.links else None,
        received_us,
        False,
        span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count,
        received.address,
    )
    owner = Owner(arrival, trace_id, span_id, received_us, received_us - received_us % HOUR_US)
    attributes = attribute_texts(span.attributes)
    taken = batch.contents.take_from_attributes(owner, attributes)
    kept = bounded(taken)
    slots = attributes if kept is taken else attributes | kept
    batch.spans.append(row, kept, resource_row, slots=slots)
    if span.events:
        _events(batch, span, owner)


def _events(batch: Batch, span: Span, owner: Owner) -> None:
    contents = SpanEvents(batch.contents, owner)
    for event in span.events:
        batch.event_names.add(event.name)
        occurred_us = event.time_unix_nano // 1000
        name = bounded_text(event.name)
        row = (owner.arrival, owner.trace_id, owner.span_id, name, occurred_us, owner.received_us)
        batch.events.append(row, bounded(contents.take(name, attribute_texts(event.attributes), occurred_us)))
    contents.close()


def _links(span: Span) -> str:
    links = [
        {
            "trace_id": link.trace_id.hex(),
            "span_id": link.span_id.hex(),
            "attributes": bounded(attribute_texts(link.attributes)),
        }
        for link in span.links
    ]
    return json.dumps(links, ensure_ascii=False)


def _logs(batch: Batch, record: Record) -> None:
    tables = LogTables(batch.logs, batch.spans, batch.resources, batch.contents)
    append_logs(record.body, Received(record.received_at_ns // 1000, record.address), tables)


def _metrics(batch: Batch, record: Record) -> None:
    received = Received(record.received_at_ns // 1000, record.address)
    for resource_metrics in parse(ExportMetricsServiceRequest, record.body).resource_metrics:
        resource_row = batch.resources.append(bounded_resource(resource_metrics.resource.attributes)[0])
        resource = resource_metrics.resource.SerializeToString()
        for scope_metrics in resource_metrics.scope_metrics:
            origin = Origin(resource + scope_metrics.scope.SerializeToString(), scope_metrics.scope.name or None)
            for metric in scope_metrics.metrics:
                append_metric(batch.metrics, metric, origin, resource_row, received)


def _refusals(batch: Batch, record: Record) -> None:
    batch.refusals += json.loads(record.body)["refusals"]


_OTHERS: dict[Signal, Callable[[Batch, Record], None]] = {
    Signal.LOGS: _logs,
    Signal.METRICS: _metrics,
    Signal.REFUSALS: _refusals,
}
