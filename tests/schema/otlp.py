"""OTLP requests from short words: spans are dictionaries, ids small numbers, times milliseconds after `NOON`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandeck_collector.journal import Position, Record, Signal

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 1_000_000_000
_MINUTE_NS = 60 * 1_000_000_000
_FIELDS = {
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    bytes: "bytes_value",
    str: "string_value",
}

Words = Mapping[str, Any]


def trace_id(number: int) -> str:
    """32 hex digits."""
    return f"{number:032x}"


def span_id(number: int) -> str:
    """16 hex digits."""
    return f"{number:016x}"


def any_value(value: Any) -> AnyValue:
    """A Python value as OTLP has it; None is the empty value."""
    result = AnyValue()
    if isinstance(value, list):
        result.array_value.values.extend(any_value(item) for item in value)
    elif isinstance(value, dict):
        result.kvlist_value.values.extend(key_values(value))
    elif value is not None:
        setattr(result, _FIELDS[type(value)], value)
    return result


def key_values(attributes: Words) -> list[KeyValue]:
    """Attributes as OTLP has them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(words: Words) -> Span:
    """A span from `trace`, `id`, `parent`, `name`, `at_ms`, `ms`, `kind`, `status`, `message`, `attributes`, `events`.

    `status` is an OTLP status code (`ERROR`), `dropped` how many attributes the emitter
    dropped; `ms` absent means a span of 100 ms, negative that it never ended.
    """
    start = NOON_NS + round(words.get("at_ms", 0) * 1e6)
    length_ms = words.get("ms", 100)
    result = Span(
        trace_id=bytes.fromhex(trace_id(words.get("trace", 1))),
        span_id=bytes.fromhex(span_id(words["id"])),
        parent_span_id=bytes.fromhex(span_id(words["parent"])) if words.get("parent") else b"",
        name=words.get("name", "work"),
        kind=Span.SpanKind.Value("SPAN_KIND_" + words.get("kind", "INTERNAL")),
        start_time_unix_nano=start,
        end_time_unix_nano=0 if length_ms < 0 else start + round(length_ms * 1e6),
        attributes=key_values(words.get("attributes", {})),
        dropped_attributes_count=words.get("dropped", 0),
        status=Status(
            code=Status.StatusCode.Value("STATUS_CODE_" + words.get("status", "UNSET")),
            message=words.get("message", ""),
        ),
    )
    for event in words.get("events", ()):
        result.events.add(
            name=event["name"],
            time_unix_nano=NOON_NS + round(event.get("at_ms", 0) * 1e6),
            attributes=key_values(event.get("attributes", {})),
        )
    for link in words.get("links", ()):
        result.links.add(trace_id=bytes.fromhex(trace_id(link["trace"])), span_id=bytes.fromhex(span_id(link["id"])))
    return result


def traces(spans: Iterable[Words]) -> bytes:
    """A trace export; spans of one (`service`, `scope`, `version`, `resource`) share an envelope."""
    request = ExportTraceServiceRequest()
    for words in spans:
        envelope = request.resource_spans.add(resource=_resource(words))
        scope = envelope.scope_spans.add()
        scope.scope.name, scope.scope.version = words.get("scope", ""), words.get("version", "")
        scope.spans.append(span(words))
    return request.SerializeToString()


def trace_of(span: Span) -> bytes:
    """A trace export of one span that is made by hand."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(span)
    return request.SerializeToString()


def logs(records: Iterable[Words]) -> bytes:
    """A log export of `event`, `severity`, `body`, `trace`, `id`, `at_ms`, `attributes`."""
    request = ExportLogsServiceRequest()
    for words in records:
        scope = request.resource_logs.add(resource=_resource(words)).scope_logs.add()
        scope.scope.name = words.get("scope", "")
        scope.log_records.add(
            trace_id=bytes.fromhex(trace_id(words["trace"])) if "trace" in words else b"",
            span_id=bytes.fromhex(span_id(words["id"])) if "id" in words else b"",
            event_name=words.get("event", ""),
            severity_text=words.get("severity", ""),
            body=any_value(words.get("body")),
            time_unix_nano=NOON_NS + round(words.get("at_ms", 0) * 1e6),
            attributes=key_values(words.get("attributes", {})),
        )
    return request.SerializeToString()


def metrics(points: Iterable[Words]) -> bytes:
    """A metric export of gauges (`value`), sums (`value`, `sum = true`) and histograms (`counts`, `bounds`)."""
    request = ExportMetricsServiceRequest()
    for words in points:
        scope = request.resource_metrics.add(resource=_resource(words)).scope_metrics.add()
        scope.scope.name = words.get("scope", "")
        metric = scope.metrics.add(name=words["name"], unit=words.get("unit", ""))
        times = {"start_time_unix_nano": NOON_NS, "time_unix_nano": NOON_NS + round(words.get("at_ms", 0) * 1e6)}
        attributes = key_values(words.get("attributes", {}))
        if "counts" in words:
            metric.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
            metric.histogram.data_points.add(
                **times,
                attributes=attributes,
                count=sum(words["counts"]),
                sum=words["value"],
                bucket_counts=words["counts"],
                explicit_bounds=words["bounds"],
            )
        elif isinstance(words["value"], int):
            metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            metric.sum.data_points.add(**times, attributes=attributes, as_int=words["value"])
        else:
            metric.gauge.data_points.add(**times, attributes=attributes, as_double=words["value"])
    return request.SerializeToString()


def records(bodies: Sequence[tuple[Signal, bytes]], first: int = 1) -> list[Record]:
    """Journal records, number `first` and on; each received a minute after NOON and a second after the one before."""
    return [
        Record(signal, NOON_NS + _MINUTE_NS + number * 1_000_000_000, body, Position(1, number))
        for number, (signal, body) in enumerate(bodies, start=first)
    ]


def _resource(words: Words) -> Resource:
    attributes = dict(words.get("resource", {}))
    if "service" in words:
        attributes["service.name"] = words["service"]
    return Resource(attributes=key_values(attributes))
