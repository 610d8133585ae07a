"""For a recording, the feed of a live replay is the backtest of the same rules, row for row."""

from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandeck_collector.alerts.rule import parse_rule, shipped_rules
from spandeck_collector.journal import Signal
from spandeck_collector.receiver.otlp_json import message_from_json
from spandeck_collector.recordings import read_recording
from spandeck_collector.sample_files import sample_folder
from tests.schema.sandbox import Sandbox

from .live import Live, by_all

pytestmark = pytest.mark.integration

EPOCH = datetime(1970, 1, 1)
BEGIN, END = datetime(2026, 11, 2, 17, 47), datetime(2026, 11, 2, 17, 54)
FILES = ("orchestrated_customer_support.jsonl", "incident_failed_tool.jsonl", "autonomous_recommendations.jsonl")
EVERY_US = 5_000_000
BUSY = """-- severity: info
-- window: 1m
-- interval: 10s
-- for: 20s
-- cool-down: 30s
-- message: {subject} has {value} calls
select
    agent_name as subject, count(*) as value, 3 as threshold, null as trace_id, null as span_id
from llm_calls
where
    started_at + to_microseconds(cast(duration_ms * 1000 as bigint)) >= $since
    and started_at + to_microseconds(cast(duration_ms * 1000 as bigint)) < $until
group by agent_name
"""


def exports() -> dict[datetime, bytes]:
    """What a running exporter would have sent, by time: the spans that ended within five seconds, as they ended."""
    sent: dict[datetime, ExportTraceServiceRequest] = defaultdict(ExportTraceServiceRequest)
    for name in FILES:
        for parcel in read_recording(sample_folder() / name):
            request, _ = message_from_json(parcel.body(), ExportTraceServiceRequest)
            for resource_spans in request.resource_spans:
                for scope_spans in resource_spans.scope_spans:
                    for span in scope_spans.spans:
                        slot = (span.end_time_unix_nano // 1000 // EVERY_US + 1) * EVERY_US
                        to = sent[EPOCH + timedelta(microseconds=slot)].resource_spans.add(
                            resource=resource_spans.resource
                        )
                        to.scope_spans.add(scope=scope_spans.scope, spans=[span])
    return {at: sent[at].SerializeToString() for at in sorted(sent) if BEGIN <= at < END}


def test_the_feed_of_a_live_replay_is_the_backtest_row_for_row(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "busy.sql").write_text(BUSY)
    live = Live(sandbox, tmp_path / "rules", BEGIN)
    for at, body in exports().items():
        live.receive(at, (Signal.TRACES, body))
    live.until(END + timedelta(minutes=1))
    feed = by_all(live.feed())
    rules = [*shipped_rules(), parse_rule("busy", BUSY)]
    assert feed == live.past(BEGIN - timedelta(minutes=1), live.now - timedelta(seconds=15), rules)
    assert {(row[0], row[8]) for row in feed} >= {("failed_tool_call", "firing"), ("busy", "resolved")}
    live.restart()
    live.judge()
    assert by_all(live.feed()) == feed


def test_what_comes_late_is_judged_as_if_it_had_come_in_time(sandbox: Sandbox, tmp_path: Path) -> None:
    """Three minutes are held back by an exporter, and come at once when their windows have long been judged."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "busy.sql").write_text(BUSY)
    live = Live(sandbox, tmp_path / "rules", BEGIN)
    held_from, held_until = BEGIN + timedelta(minutes=2), BEGIN + timedelta(minutes=5)
    sent = {at: body for at, body in exports().items() if at < BEGIN + timedelta(minutes=6)}
    for at, body in sent.items():
        if not held_from <= at < held_until:
            live.receive(at, (Signal.TRACES, body))
    late = [(Signal.TRACES, body) for at, body in sent.items() if held_from <= at < held_until]
    rules = [parse_rule("busy", BUSY)]
    before = [row for row in by_all(live.feed()) if row[0] == "busy"]
    live.receive(live.now + timedelta(seconds=1), *late)
    live.until(live.now + timedelta(minutes=1))
    after = [row for row in by_all(live.feed()) if row[0] == "busy"]
    assert after == live.past(BEGIN - timedelta(minutes=1), live.now - timedelta(seconds=15), rules)
    assert after != before
