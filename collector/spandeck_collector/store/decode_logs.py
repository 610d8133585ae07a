"""OTLP logs to one row a record, and one span more where a record stands for a call."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b

import pyarrow as pa
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spandeck_collector.store.columns import Received, Resources, Rows
from spandeck_collector.store.content import Contents, Owner
from spandeck_collector.store.content_parts import HOUR_US
from spandeck_collector.store.values import attribute_texts, bounded, bounded_resource, bounded_text
from spandeck_collector.wire import parse
from spandeck_schema.log_spans import LogSpan, load_log_spans

_TEXT = pa.string()
_TIME = pa.timestamp("us")
LOG_COLUMNS = (
    ("arrival", pa.int64()),
    ("request", pa.int64()),
    ("record_hash", pa.uint64()),
    ("trace_id", _TEXT),
    ("span_id", _TEXT),
    ("scope", _TEXT),
    ("event_name", _TEXT),
    ("severity", _TEXT),
    ("body", _TEXT),
    ("occurred_at", _TIME),
    ("received_at", _TIME),
    ("address", _TEXT),
)
_LOG_SPANS = load_log_spans()
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8

_Texts = dict[str, str | None]


@dataclass(frozen=True)
class LogTables:
    """Where the records of a log export go: the records, what they tell of calls, their resources, their content."""

    logs: Rows
    spans: Rows
    resources: Resources
    contents: Contents


@dataclass(frozen=True)
class _Came:
    """What the records of one resource in one request share; `request` is a number."""

    request: int
    origin: bytes
    resource_row: int
    received: Received


def append_logs(body: bytes, received: Received, to: LogTables) -> None:
    """Add the records of one log export to the tables.

    `event_name` is the record's, else its attribute `event.name`; a record without any time has NULL.
    Raises `google.protobuf.message.DecodeError` for a damaged body.
    """
    request = len(to.logs)
    for resource_logs in parse(ExportLogsServiceRequest, body).resource_logs:
        resource_row = to.resources.append(bounded_resource(resource_logs.resource.attributes)[0])
        came = _Came(request, resource_logs.resource.SerializeToString(), resource_row, received)
        for scope_logs in resource_logs.scope_logs:
            for log in scope_logs.log_records:
                _append(log, scope_logs.scope, came, to)


def _append(log: LogRecord, scope: InstrumentationScope, came: _Came, to: LogTables) -> None:
    attributes = attribute_texts(log.attributes)
    event_name = log.event_name or attributes.get("event.name") or None
    time_ns = log.time_unix_nano or log.observed_time_unix_nano
    trace_id, span_id = log.trace_id.hex() or None, log.span_id.hex() or None
    received_us = came.received.at_us
    owner = Owner(len(to.logs), trace_id, span_id, received_us, received_us - received_us % HOUR_US)
    text, taken = to.contents.take_from_log(owner, event_name or "", log.body, attributes, time_ns // 1000)
    kept = bounded(taken)
    row = (
        len(to.logs),
        came.request,
        _record_hash(came.origin, scope, log),
        trace_id,
        span_id,
        scope.name or None,
        event_name,
        log.severity_text or None,
        bounded_text(text) if text else text,
        time_ns // 1000 or None,
        *came.received,
    )
    to.logs.append(row, kept, came.resource_row)
    rule = _LOG_SPANS.get(event_name) if event_name else None
    if rule and rule.is_in(scope.name):
        span = _span(log, time_ns, rule, scope, attributes, origin=came.origin)
        rest = (received_us, True, log.dropped_attributes_count, came.received.address)
        added = rule.added(names_span=bool(log.span_id))
        slots = attributes | kept | added
        to.spans.append((len(to.spans), *span, *rest), kept | added, came.resource_row, slots=slots)


def _record_hash(origin: bytes, scope: InstrumentationScope, log: LogRecord) -> int:
    """64 bits of all that a record says: a resent record has the same."""
    digest = blake2b(origin, digest_size=8)
    digest.update(scope.SerializeToString())
    digest.update(log.SerializeToString())
    return int.from_bytes(digest.digest(), "little")


def _span(
    log: LogRecord,
    time_ns: int,
    rule: LogSpan,
    scope: InstrumentationScope,
    attributes: _Texts,
    *,
    origin: bytes,
) -> tuple[object, ...]:
    """`trace_id` to `links` of a span. The ids come from what the record says: a resent record is a resent span.

    `origin` is the resource as it came: what two services say in the same words is two calls.
    """
    told = (f"{name}={value}" for name, value in sorted(attributes.items()))
    facts = [origin.hex(), rule.name, str(time_ns), *told]
    trace_facts = [value for name in rule.trace_from if (value := attributes.get(name))] or facts
    length_ns = _length_ns(attributes.get(rule.duration_ms), time_ns)
    failed = rule.has_failed(attributes)
    return (
        log.trace_id.hex() or _digest(trace_facts, _TRACE_ID_BYTES),
        _digest(facts, _SPAN_ID_BYTES),
        log.span_id.hex() or None,
        scope.name or None,
        scope.version or None,
        rule.name,
        "CLIENT",
        time_ns - (length_ns or 0),
        # An end at zero is how a span says that its length is unknown.
        0 if length_ns is None else time_ns,
        "ERROR" if failed else "UNSET",
        (attributes.get(rule.message) or "") if failed else "",
        None,
    )


def _length_ns(duration_ms: str | None, most_ns: int) -> int | None:
    """Milliseconds in a text as nanoseconds; None for what is no duration or longer than the time since 1970."""
    try:
        length = float(duration_ms or "")
    except ValueError:
        return None
    return round(length * 1e6) if math.isfinite(length) and 0 <= length * 1e6 <= most_ns else None


def _digest(facts: list[str], size: int) -> str:
    return blake2b("\0".join(facts).encode(errors="replace"), digest_size=size).hexdigest()
