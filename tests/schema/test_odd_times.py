"""Times that cannot be never reach a percentile, a duration or a day of 1970."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandeck_collector.journal import Signal

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "acme-1", "gen_ai.provider.name": "acme"}


def store(sandbox: Sandbox, start_ns: int, end_ns: int) -> None:
    """One root span with these times."""
    request = ExportTraceServiceRequest.FromString(otlp.traces([{"id": 1, "attributes": CALL}]))
    (span,) = request.resource_spans[0].scope_spans[0].spans
    span.start_time_unix_nano, span.end_time_unix_nano = start_ns, end_ns
    sandbox.take((Signal.TRACES, request.SerializeToString()))


@pytest.mark.parametrize("start_ns", [0, 1, 946_684_799_999_999_999])
def test_a_span_without_a_start_is_shown_at_its_end(sandbox: Sandbox, start_ns: int) -> None:
    store(sandbox, start_ns, otlp.NOON_NS)
    assert sandbox.row("select epoch_ns(started_at) as at_ns, duration_ms, flags from spans") == {
        "at_ns": otlp.NOON_NS,
        "duration_ms": None,
        "flags": ["no_start"],
    }
    assert sandbox.row("select p95_ms, call_count from latency_by_model") == {"p95_ms": None, "call_count": 1}
    assert sandbox.row("select duration_ms, year(started_at) as year from traces") == {
        "duration_ms": None,
        "year": 2026,
    }


def test_a_span_with_no_time_at_all_is_shown_when_it_came(sandbox: Sandbox) -> None:
    store(sandbox, 0, 0)
    row = sandbox.row("select started_at = received_at as came, ended_at, duration_ms, flags from spans")
    assert row == {"came": True, "ended_at": None, "duration_ms": None, "flags": ["no_start", "incomplete"]}


def test_a_trace_is_never_shorter_than_nothing(sandbox: Sandbox) -> None:
    """Its root ends before it begins: what is left is the extent of the spans that have a duration."""
    store(sandbox, otlp.NOON_NS, otlp.NOON_NS - 1_000_000_000)
    assert sandbox.row("select duration_ms from traces") == {"duration_ms": None}
    sandbox.spans({"id": 2, "parent": 1, "ms": 250})
    assert sandbox.row("select duration_ms from traces") == {"duration_ms": 250}
