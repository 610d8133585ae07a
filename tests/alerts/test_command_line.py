"""`spandeck alerts` against a real store: list, show, ack, snooze, rules, test, resend."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spandeck_collector.journal import JournalWriter
from tests.collector.store_fixtures import START_NS, Store, append, journal, running_store, trace_request
from tests.support.site import spandeck
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

FAILED = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "error.type": "Timeout"}
BUSY = """-- severity: warning
-- window: 1m
-- interval: 1m
-- message: {value} calls
select 'calls' as subject, count(*) as value, 1 as threshold, null as trace_id, null as span_id
from tool_calls where started_at >= $since and started_at < $until
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder, with a user's rule that is broken."""
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "alerts").mkdir()
    (folder / "alerts" / "odd.sql").write_text(BUSY.replace("count(*)", "cuont(*)"))
    return folder


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Store]:
    """A store with two failed calls of a tool."""
    with journal(place) as writer, running_store(place) as store:
        _send(writer)
        eventually(lambda: store.rows("select count(*) from alerts") == [[2]])
        eventually(lambda: store.rows("select count(*) > 10 from alert_rules") == [[True]])
        yield store


def _send(writer: JournalWriter) -> None:
    # Number is milliseconds: two minutes ago.
    first = (time.time_ns() - START_NS) // 1_000_000 - 120_000
    append(writer, trace_request([first, first + 10], **FAILED))


def run(store: Store, *arguments: str | Path) -> str:
    result = spandeck("alerts", *arguments, settings={"SPANDECK_QUERY_PORT": str(store.port)}, cwd=store.directory)
    assert result.returncode == 0, result.stderr
    return result.stdout


def listed(store: Store) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(run(store, "list", "--format", "json"))
    return rows


def test_an_alert_is_listed_shown_acknowledged_and_snoozed(store: Store) -> None:
    first, second = listed(store)
    assert {first["state"], second["state"]} == {"firing"}
    shown = run(store, "show", str(first["alert_id"]))
    assert "/trace?trace=" in shown
    assert "Tool call failed: search: Timeout" in shown
    assert "acknowledged failed_tool_call" in run(store, "ack", str(first["alert_id"]))
    assert [row["state"] for row in listed(store)] == ["acknowledged", "firing"]
    assert "snoozed failed_tool_call" in run(store, "snooze", str(second["alert_id"]), "--for", "2h")
    assert [row["state"] for row in listed(store)] == ["snoozed", "snoozed"]
    assert "no longer snoozed failed" in run(store, "snooze", str(second["alert_id"]), "--for", "0s")
    assert [row["state"] for row in listed(store)] == ["acknowledged", "firing"]
    assert "messages to send again: 0" in run(store, "resend")


def test_an_id_that_is_none_is_told(store: Store) -> None:
    for arguments in (("ack", "ffffffffffff"), ("show", "ffffffffffff"), ("ack", "zz")):
        result = spandeck("alerts", *arguments, settings={"SPANDECK_QUERY_PORT": str(store.port)}, cwd=store.directory)
        assert result.returncode == 1
        assert "spandeck alerts list" in result.stderr


def test_a_broken_rule_is_listed_with_line_and_reason(store: Store) -> None:
    result = spandeck(
        "alerts", "rules", "--format", "json", settings={"SPANDECK_QUERY_PORT": str(store.port)}, cwd=store.directory
    )
    assert result.returncode == 1
    (broken,) = [row for row in json.loads(result.stdout) if row["state"] == "broken"]
    assert (broken["rule"], broken["error_line"]) == ("odd", 5)
    assert "cuont" in broken["error"]


def test_a_rule_is_tried_on_the_past(store: Store, tmp_path: Path) -> None:
    rule = tmp_path / "busy.sql"
    rule.write_text(BUSY)
    shown = run(store, "test", rule, "--last", "1h")
    assert "busy would have fired 1 times for 1 subjects" in shown
    assert "calls" in shown
    assert "errors" in shown
    (row,) = json.loads(run(store, "test", rule, "--last", "1h", "--format", "json"))
    assert (row["subject"], row["value"], row["message"]) == ("calls", 2, "2 calls")
    assert "would have fired 2 times" in run(store, "test", "failed_tool_call", "--last", "1h")


def test_a_rule_that_cannot_be_tried_is_told_with_its_line(store: Store, tmp_path: Path) -> None:
    for text, sentence in (
        (BUSY.replace("count(*)", "cuont(*)"), "(line 5)"),
        (BUSY.replace("from tool_calls", "from store.calls"), "may not be read"),
    ):
        (tmp_path / "odd.sql").write_text(text)
        result = spandeck(
            "alerts", "test", str(tmp_path / "odd.sql"), settings={"SPANDECK_QUERY_PORT": str(store.port)}, cwd=tmp_path
        )
        assert result.returncode == 1
        assert sentence in result.stderr
