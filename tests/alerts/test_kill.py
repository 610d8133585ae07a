"""kill -9 of the store while it judges: no alert is lost, and none stands twice."""

import random
import time
from pathlib import Path

import pytest

from tests.collector.store_fixtures import START_NS, append, journal, running_store, trace_request
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

FAILED = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "error.type": "Timeout"}
BUSY = """-- severity: warning
-- window: 2s
-- interval: 1s
-- message: {value} calls
select tool_name as subject, count(*) as value, 0 as threshold, null as trace_id, null as span_id
from tool_calls
where started_at + interval 250 milliseconds >= $since and started_at + interval 250 milliseconds < $until
group by tool_name
"""
MINE = """-- severity: warning
-- key: span
-- message: mine
select tool_name as subject, 1 as value, 0 as threshold, started_at as occurred_at, trace_id, span_id
from tool_calls where started_at >= $since and started_at < $until
"""
TWICE = "select count(*) - count(distinct (rule, trace_id, subject, coalesce(fired_at, pending_at))) from alerts"


@pytest.mark.parametrize("seed", [1])
def test_no_alert_is_lost_and_none_stands_twice(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "busy.sql").write_text(BUSY)
    (tmp_path / "alerts" / "mine.sql").write_text(MINE)
    sent = number = 0
    with journal(tmp_path) as writer:
        for _ in range(4):
            with running_store(tmp_path, alert_grace_s=0.5, checkpoint_rows=20) as store:
                for _ in range(6):
                    # Never the same number twice, however soon after the last one.
                    number = max((time.time_ns() - START_NS) // 1_000_000, number + 3)
                    append(writer, trace_request(range(number, number + 3), **FAILED))
                    sent += 3
                    time.sleep(dice.random() * 0.3)
                # Spans that wait in the journal as the store is killed are part of it.
                store.kill()
        with running_store(tmp_path, alert_grace_s=0.5) as store:
            fired = (
                "select rule, count(*) from alerts where rule in ('failed_tool_call', 'mine') group by rule order by 1"
            )
            expected = [["failed_tool_call", sent], ["mine", sent]]
            eventually(lambda: store.rows(fired) == expected, lambda: (sent, store.rows(fired)))
            # A call ends 250 ms after its start, and the next judgement is at most a second later.
            uncovered = (
                "select count(*) from tool_calls where not exists (from alerts where rule = 'busy' "
                "and fired_at <= started_at + interval 1250 milliseconds "
                "and resolved_at > started_at + interval 250 milliseconds)"
            )
            eventually(lambda: store.rows(uncovered) == [[0]], lambda: store.rows("from alerts where rule = 'busy'"))
            assert store.rows(TWICE) == [[0]]
