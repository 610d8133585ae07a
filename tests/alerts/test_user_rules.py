"""A user's own rules: read when they are saved, named when they are broken, and never in the way of ingestion."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spandeck_collector.alerts.rule import RuleError, parse_rule
from spandeck_collector.alerts.rule_folder import RuleFolder
from spandeck_collector.journal import Signal
from tests.schema import otlp
from tests.schema.sandbox import Sandbox

from .live import NOON, Live

pytestmark = pytest.mark.integration

BUSY = """-- name: busy
-- severity: info
-- window: 1m
-- interval: 10s
-- no data: resolve
-- message: {subject} has {value} requests
select
    coalesce(service, 'none') as subject, count(*) as value, 2 as threshold, null as trace_id, null as span_id
from traces where started_at >= $since and started_at < $until
group by service
"""
LONG = """-- severity: critical
-- key: span
-- message: {subject} took {value} ms
select name as subject, duration_ms as value, 50.0 as threshold, ended_at as occurred_at, trace_id, span_id
from spans where started_at >= $since and started_at < $until and duration_ms > 50
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for rules."""
    result = tmp_path / "alerts"
    result.mkdir()
    return result


def reload(live: Live) -> None:
    live.watch._look_at = live.watch._files_at = 0.0
    live.watch.take_turn(live.now, is_busy=False)


def listed(live: Live, name: str) -> tuple[Any, ...]:
    (row,) = live.sandbox.connection.execute(
        "select source, state, error_line, error from alert_rules where rule = ?", [name]
    ).fetchall()
    return tuple(row)


def test_a_rule_is_taken_up_when_it_is_saved_and_its_alerts_end_with_it(sandbox: Sandbox, folder: Path) -> None:
    live = Live(sandbox, folder)
    (folder / "busy.sql").write_text(BUSY)
    reload(live)
    live.spans(NOON + timedelta(seconds=5), *({"id": n, "trace": n} for n in range(1, 4)))
    live.until(NOON + timedelta(seconds=30))
    assert live.fired("busy") == [("none", "firing", "none has 3 requests")]
    assert listed(live, "busy") == ("busy.sql", "active", None, None)
    (folder / "busy.sql").unlink()
    reload(live)
    assert [row[1] for row in live.fired("busy")] == ["resolved"]


def test_a_rule_about_spans_fires_once_a_span_also_after_a_restart(sandbox: Sandbox, folder: Path) -> None:
    (folder / "long.sql").write_text(LONG)
    live = Live(sandbox, folder)
    live.spans(NOON + timedelta(seconds=5), {"id": 1, "ms": 60}, {"id": 2, "ms": 40})
    assert live.fired("long") == [("work", "firing", "work took 60 ms")]
    live.restart()
    live.spans(NOON + timedelta(seconds=9), {"id": 3, "ms": 70}, {"id": 1, "ms": 60})
    assert [row[2] for row in live.fired("long")] == ["work took 60 ms", "work took 70 ms"]


def test_what_came_before_a_kill_is_judged_after_it(sandbox: Sandbox, folder: Path) -> None:
    (folder / "long.sql").write_text(LONG)
    live = Live(sandbox, folder)
    live.spans(NOON + timedelta(seconds=1), {"id": 9, "ms": 1})
    live.store(NOON + timedelta(seconds=2), *_spans({"id": 1, "ms": 60}))
    live.restart()
    live.judge()
    assert live.fired("long") == [("work", "firing", "work took 60 ms")]


def _spans(*words: dict[str, Any]) -> list[Any]:
    return [(Signal.TRACES, otlp.traces(words))]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (BUSY.replace("count(*)", "cuont(*)"), 8, "cuont"),
        (BUSY.replace("from traces", "from nowhere"), None, "There is no view 'nowhere'"),
        (BUSY.replace("from traces", "from store.traces"), None, "store.traces may not be read"),
        (BUSY.replace("severity: info", "severity: loud"), 2, "severity 'loud'"),
        (BUSY.replace("2 as threshold, ", ""), None, "no column 'threshold'"),
        (BUSY + "; drop view main.traces", None, "one statement"),
        (BUSY.replace("window: 1m", "widnow: 1m"), 3, "unknown entry 'widnow'"),
    ],
)
def test_a_broken_rule_is_named_and_the_others_run_on(
    text: str, line: int | None, reason: str, sandbox: Sandbox, folder: Path
) -> None:
    live = Live(sandbox, folder)
    (folder / "busy.sql").write_text(text)
    (folder / "long.sql").write_text(LONG)
    reload(live)
    source, state, error_line, error = listed(live, "busy")
    assert (source, state, error_line) == ("busy.sql", "broken", line)
    assert reason in error
    live.spans(NOON + timedelta(seconds=5), {"id": 1, "ms": 60})
    assert len(live.fired("long")) == 1
    (folder / "busy.sql").write_text(BUSY)
    reload(live)
    assert listed(live, "busy")[1] == "active"


def test_a_rule_that_fails_as_it_runs_is_named_and_stops_no_span(sandbox: Sandbox, folder: Path) -> None:
    (folder / "busy.sql").write_text(BUSY.replace("count(*) as", "sum(cast(root_name as integer)) as"))
    live = Live(sandbox, folder)
    live.spans(NOON + timedelta(seconds=5), {"id": 1})
    live.until(NOON + timedelta(seconds=90))
    assert "Could not convert" in listed(live, "busy")[3]
    assert sandbox.row("select count(*) as n from spans") == {"n": 1}


def test_a_users_rule_takes_the_place_of_the_shipped_one(sandbox: Sandbox, folder: Path) -> None:
    (folder / "failed_tool_call.sql").write_text(LONG)
    live = Live(sandbox, folder)
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    live.spans(NOON + timedelta(seconds=5), {"id": 1, "ms": 10, "attributes": tool, "status": "ERROR"}, {"id": 2})
    assert live.fired("failed_tool_call") == [("work", "firing", "work took 100 ms")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-- severity: warning\n-- key: span\nselect 1", "has no '-- message: ...' line"),
        ("-- severity: warning\n-- message: m\nselect 1", "has no '-- key: ...' or '-- window: ...' line"),
        ("-- severity: warning\n-- key: span\n-- window: 1m\n-- message: m\nselect 1", "leave it out"),
        ("-- severity: warning\n-- window: soon\n-- message: m\nselect 1", "use a time such as 30s"),
        ("-- severity: warning\n-- window: 99d\n-- message: m\nselect 1", "at most 31d"),
        ("-- name: other\n-- severity: warning\n-- window: 1m\n-- message: m\nselect 1", "name the file as the rule"),
        ("-- severity: error\n-- window: 1m\n-- minimum volume: -1\n-- message: m\nselect 1", "use a whole number"),
    ],
)
def test_a_head_that_is_wrong_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence.replace("(", r"\(").replace("*", r"\*")):
        parse_rule("mine", text)


def test_a_folder_that_is_not_there_has_no_rules(tmp_path: Path) -> None:
    folder = RuleFolder(tmp_path / "none")
    assert folder.has_changed()
    assert folder.read().broken == {}
    assert not folder.has_changed()


def test_a_file_that_is_no_text_is_broken(folder: Path) -> None:
    (folder / "odd.sql").write_bytes(b"\xff\xfe")
    (folder / "Bad Name.sql").write_text(BUSY)
    assert set(RuleFolder(folder).read().broken) == {"odd", "Bad Name"}
