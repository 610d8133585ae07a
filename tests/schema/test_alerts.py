"""The three rules: strict, once each, with the ids of what is wrong."""

from typing import Any

import pytest

from spandeck_collector.alerts.rule import parse_rule, shipped_rules
from spandeck_collector.journal import Signal

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration


def slow_call(number: int, first_token_s: float, **words: Any) -> dict[str, Any]:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": first_token_s}
    return {"id": number, "ms": 10_000, "attributes": attributes} | words


def dear_call(number: int, million_tokens: float, **words: Any) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "dollar",
        "gen_ai.usage.input_tokens": round(million_tokens * 1_000_000),
        "gen_ai.usage.output_tokens": 0,
    }
    return {"id": number, "attributes": attributes} | words


@pytest.fixture
def dollar(sandbox: Sandbox) -> Sandbox:
    """A model at one dollar per million tokens."""
    sandbox.price("dollar", 1.0, 1.0, 1.0, 1.0)
    return sandbox


def fired(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    rows = sandbox.rows("select rule, trace_id, span_id from alerts order by all")
    return [(row["rule"], int(row["trace_id"], 16), int(row["span_id"], 16)) for row in rows]


def test_two_seconds_to_the_first_token_are_not_slow(sandbox: Sandbox) -> None:
    sandbox.spans(slow_call(1, 2.0), slow_call(2, 2.001), slow_call(3, 0.1), slow_call(4, 2.0, status="ERROR"))
    assert fired(sandbox) == [("slow_first_token", 1, 2)]
    assert sandbox.row("select severity, value, threshold, state from alerts") == {
        "severity": "warning",
        "value": pytest.approx(2001),
        "threshold": 2000,
        "state": "firing",
    }


def test_one_dollar_is_not_expensive(dollar: Sandbox) -> None:
    dollar.spans(dear_call(1, 1.0, trace=1), dear_call(2, 1.000_001, trace=2), dear_call(3, 0.6, trace=3))
    assert fired(dollar) == [("expensive_request", 2, 2)]


def test_a_request_costs_what_its_calls_cost_together(dollar: Sandbox) -> None:
    dollar.spans({"id": 1, "name": "plan {value}"}, dear_call(2, 0.6, parent=1), dear_call(3, 0.6, parent=1))
    assert fired(dollar) == [("expensive_request", 1, 1)]
    assert dollar.row("select message from alerts")["message"] == "Request plan {value} cost $1.20, above $1"


def test_a_cost_alert_fires_before_the_root_is_there_and_not_again_after(dollar: Sandbox) -> None:
    """Without a root it points at the dearest call; its value follows the trace, its time does not move."""
    dollar.spans(dear_call(2, 0.6, parent=1), dear_call(3, 0.7, parent=1))
    assert fired(dollar) == [("expensive_request", 1, 3)]
    fired_at = dollar.row("select fired_at from alerts")
    dollar.spans({"id": 1, "name": "plan"})
    dollar.spans(dear_call(4, 5.0, parent=1, ms=9_000))
    assert fired(dollar) == [("expensive_request", 1, 1)]
    assert dollar.row("select value, message from alerts") == {
        "value": pytest.approx(6.3),
        "message": "Request plan cost $6.30, above $1",
    }
    assert dollar.row("select fired_at from alerts") == fired_at


def test_an_alert_that_a_late_span_disproves_goes(sandbox: Sandbox) -> None:
    """The outer of two nested calls no longer counts when the inner one comes; other traces keep theirs."""
    usage = {"gen_ai.usage.input_tokens": 1, "gen_ai.usage.output_tokens": 1}
    outer = slow_call(1, 3.0)
    outer["attributes"] |= usage
    sandbox.spans(outer, slow_call(9, 4.0, trace=2))
    assert fired(sandbox) == [("slow_first_token", 1, 1), ("slow_first_token", 2, 9)]
    inner = slow_call(2, 2.5, parent=1)
    inner["attributes"] |= usage
    sandbox.spans(inner)
    assert fired(sandbox) == [("slow_first_token", 1, 2), ("slow_first_token", 2, 9)]


def test_a_failed_tool_fires_by_status_or_by_error_type(sandbox: Sandbox) -> None:
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    sandbox.spans(
        {"id": 1, "attributes": tool, "status": "ERROR"},
        {"id": 2, "attributes": tool | {"error.type": "Timeout"}},
        {"id": 3, "attributes": tool, "events": [{"name": "exception"}]},
        {"id": 4, "attributes": {"gen_ai.operation.name": "chat"}, "status": "ERROR"},
    )
    assert fired(sandbox) == [("failed_tool_call", 1, 1), ("failed_tool_call", 1, 2)]
    rows = sandbox.rows("select message, severity from alerts order by span_id")
    assert [tuple(row.values()) for row in rows] == [
        ("Tool call failed: search: _OTHER", "error"),
        ("Tool call failed: search: Timeout", "error"),
    ]


def test_nothing_fires_twice_after_resend_or_restart(dollar: Sandbox) -> None:
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    spans = [slow_call(1, 3.0), dear_call(2, 2.0), {"id": 3, "attributes": tool, "status": "ERROR"}]
    dollar.spans(*spans, *spans)
    dollar.spans(*spans)
    before = fired(dollar)
    assert [rule for rule, _, _ in before] == ["expensive_request", "failed_tool_call", "slow_first_token"]
    dollar.restart()
    dollar.spans(*spans)
    dollar.spans(slow_call(9, 0.1))
    assert fired(dollar) == before


def test_an_alert_is_dated_when_it_could_be_known(sandbox: Sandbox) -> None:
    sandbox.spans(slow_call(1, 2.5, at_ms=1_000))
    row = sandbox.row("select epoch_ms(fired_at) as fired_ms from alerts")
    assert row["fired_ms"] == otlp.NOON_NS // 1_000_000 + 3_500


def test_extreme_clocks_do_not_stop_the_rules(sandbox: Sandbox) -> None:
    """A span from 1970 to the year 2554 is stored, and its alert too."""
    tool = otlp.span({"id": 1, "attributes": {"gen_ai.operation.name": "execute_tool", "error.type": "x"}})
    tool.start_time_unix_nano, tool.end_time_unix_nano = 0, 2**64 - 1
    sandbox.take((Signal.TRACES, otlp.trace_of(tool)))
    assert fired(sandbox) == [("failed_tool_call", 1, 1)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-- severity: warning\n-- key: span\nselect 1", "has no '-- message: ...' line"),
        ("-- severity: loud\n-- key: span\n-- message: m\nselect 1", "has severity 'loud'"),
        ("-- severity: error\n-- key: service\n-- message: m\nselect 1", "key 'service'"),
    ],
)
def test_a_rule_without_a_proper_head_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_rule("mine", text)


def test_the_rules_of_the_seed_are_shipped() -> None:
    assert {rule.name for rule in shipped_rules()} >= {"expensive_request", "failed_tool_call", "slow_first_token"}
