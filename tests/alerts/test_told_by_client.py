"""An alert that the client raised and the store's rule for the same fact are one row of the feed."""

from typing import Any

import pytest

from tests.schema.sandbox import Sandbox

pytestmark = pytest.mark.integration

TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "unheard-of"}


def told(rule: str, value: Any = 2.0, **words: Any) -> dict[str, Any]:
    attributes = {"spandeck.alert.rule": rule, "spandeck.alert.severity": "warning", "spandeck.alert.value": value}
    return {
        "name": "spandeck.alert",
        "at_ms": 50,
        "attributes": attributes | {"spandeck.alert.message": "told"} | words,
    }


def feed(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    return sandbox.connection.execute(
        "select rule, raised_by, repeat_count, right(span_id, 1), message from alerts order by all"
    ).fetchall()


def test_what_both_know_is_one_row_with_the_figures_of_the_store(sandbox: Sandbox) -> None:
    slow = CHAT | {"gen_ai.response.time_to_first_chunk": 2.5}
    sandbox.spans(
        {"id": 1, "ms": 9_000, "attributes": slow, "events": [told("slow_first_token")]},
        {"id": 2, "attributes": TOOL, "status": "ERROR", "events": [told("failed_tool_call")]},
        {"id": 3, "at_ms": 5, "attributes": TOOL, "status": "ERROR", "events": [told("failed_tool_call")]},
    )
    both = [
        ("failed_tool_call", "both", 2, "2", "Tool call failed: search: _OTHER"),
        ("slow_first_token", "both", 1, "1", "Time to first token of unheard-of was 2,500 ms, above 2,000 ms"),
    ]
    assert feed(sandbox) == both
    sandbox.spans({"id": 9, "at_ms": 1})
    assert feed(sandbox) == both


def test_what_only_the_client_knows_is_a_row_of_its_own(sandbox: Sandbox) -> None:
    """Its own prices made the request expensive; the store has none. A later span changes nothing of it."""
    sandbox.spans({"id": 1, "name": "plan", "events": [told("expensive_request", 1.5)]})
    alone = [("expensive_request", "client", 1, "1", "told")]
    assert feed(sandbox) == alone
    sandbox.spans({"id": 2, "parent": 1, "attributes": CHAT})
    assert feed(sandbox) == alone


def test_what_the_store_learns_later_joins_the_clients_row(sandbox: Sandbox) -> None:
    sandbox.spans({"id": 1, "name": "plan", "events": [told("expensive_request", 1.5)]})
    dear = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "acme-dear",
        "gen_ai.usage.input_tokens": 50_000,
        "gen_ai.usage.output_tokens": 0,
    }
    sandbox.spans({"id": 2, "parent": 1, "attributes": dear})
    assert feed(sandbox) == [("expensive_request", "both", 1, "1", "Request plan cost $1.50, above $1")]


def test_a_call_that_two_instrumentations_tell_has_its_alert_once(sandbox: Sandbox) -> None:
    """The client's event stands at the outer span, which does not count: the alert is that of the inner one."""
    usage = {"gen_ai.usage.input_tokens": 1, "gen_ai.usage.output_tokens": 1}
    slow = CHAT | usage | {"gen_ai.response.time_to_first_chunk": 2.5}
    sandbox.spans(
        {"id": 1, "ms": 9_000, "attributes": slow, "events": [told("slow_first_token")], "scope": "spandeck"},
        {"id": 2, "parent": 1, "ms": 8_000, "attributes": slow, "scope": "other"},
    )
    assert len(feed(sandbox)) == 1


@pytest.mark.parametrize("rule", ["", "Bad Rule", "x" * 99, "drop table"])
def test_a_rule_name_that_is_none_is_no_alert(rule: str, sandbox: Sandbox) -> None:
    sandbox.spans({"id": 1, "events": [told(rule)]})
    assert feed(sandbox) == []


def test_severity_and_figures_of_a_stranger_are_read_with_care(sandbox: Sandbox) -> None:
    words = {
        "spandeck.alert.severity": "apocalyptic",
        "spandeck.alert.value": "much",
        "spandeck.alert.message": "x" * 9_999,
    }
    sandbox.spans({"id": 1, "events": [told("my_rule", **words)]})
    row = sandbox.row("select severity, value, length(message) as size, state from alerts")
    assert row == {"severity": "warning", "value": None, "size": 500, "state": "firing"}
