"""Guard, Objectives, answers to alerts, budgets and savings, without a browser: each number is that of its view."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from spandeck_dashboard import formats
from spandeck_dashboard.queries import Parameter, ask, command
from tests.support.waiting import eventually

from .conftest import OpenPage, part_data, texts
from .stack import Stack, attribute, plain_span
from .test_more_pages import chat, column

pytestmark = pytest.mark.integration


def test_days_of_cost_are_those_of_the_owners_zone(filled: Stack, asks: Callable[[Stack], None]) -> None:
    asks(filled)
    zone, until = "Asia/Kolkata", datetime.now(UTC)
    everything: dict[str, Parameter] = {"by": "Model", "service": None, "model": None, "agent": None}
    rows = ask("cost_by_series", since=until - timedelta(days=6), until=until, zone=zone, **everything)
    days: dict[str, float] = defaultdict(float)
    for middle_ms, usd in zip(rows["middle_ms"], rows["cost_usd"], strict=True):
        days[f"{datetime.fromtimestamp(middle_ms / 1000, ZoneInfo(zone)):%Y-%m-%d}"] += formats.number(usd) or 0
    expected = filled.rows(
        "select strftime(day, '%Y-%m-%d'), sum(cost_usd) from cost_by_day_in(?) group by 1 having sum(cost_usd) > 0",
        zone,
    )
    assert {day: pytest.approx(usd, abs=1e-4) for day, usd in expected} == {d: usd for d, usd in days.items() if usd}


def test_savings_are_those_of_the_view(filled: Stack, open_page: OpenPage) -> None:
    table = part_data(open_page(filled, "cost", range="7d"), "savings")
    rows = filled.rows("select saved_usd, cache_saved_usd, cost_usd from savings_by_day order by day desc, service")
    assert len(rows) > 0
    assert column(table, "Saved") == [formats.money(row[0]) for row in rows]
    assert column(table, "by caches") == [formats.money(row[1]) for row in rows]
    assert column(table, "Spent") == [formats.money(row[2]) for row in rows]


def test_budgets_tell_what_is_spent_and_left(empty: Stack, open_page: OpenPage) -> None:
    empty.send([chat("0b" * 8, [{"role": "user", "content": "Hi"}], "Ho", ago_s=1)])
    assert "budgets.toml" in part_data(open_page(empty, "cost"), "budgets")["empty"]
    text = '[[budgets]]\nname = "a day"\nperiod = "day"\nsoft_usd = 3\nhard_usd = 5\n'
    command("import_budgets", text=text)
    table = part_data(open_page(empty, "cost"), "budgets")
    spent, left = empty.rows("select spent_usd, left_usd from budgets")[0]
    assert (column(table, "Budget"), column(table, "State"), column(table, "Hard")) == (["a day"], ["ok"], ["$5.00"])
    assert column(table, "Spent")[0].removesuffix(" + ?") == formats.money(spent)
    assert column(table, "Left") == [formats.money(left)]


def test_an_alert_is_acknowledged_and_snoozed_on_its_page(empty: Stack, open_page: OpenPage) -> None:
    failed = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "fetch", "error.type": "TimeoutError"}
    attributes = [attribute(*each) for each in failed.items()]
    empty.send([plain_span("0a" * 16, "0b" * 8, attributes=attributes, status={"code": 2})])
    eventually(lambda: empty.rows("select count(*) from alerts where state = 'firing'")[0][0] == 1, "the alert")
    page = open_page(empty, "alerts")
    page.button(key="acknowledge").click().run(timeout=60)
    assert "Acknowledged: failed_tool_call" in texts(page)
    assert column(part_data(page, "alerts"), "State") == ["acknowledged"]
    page.button(key="snooze").click().run(timeout=60)
    assert empty.rows("select state, snoozed_until > now() from alerts") == [["snoozed", True]]
    assert column(part_data(page, "alerts"), "State") == ["snoozed"]
    page.button(key="end-snooze").click().run(timeout=60)
    assert column(part_data(page, "alerts"), "State") == ["acknowledged"]


def test_every_rule_is_listed_and_a_broken_one_says_why(empty: Stack, open_page: OpenPage) -> None:
    empty.send([plain_span("0a" * 16, "0b" * 8)])
    rules = empty.settings.data_dir / "alerts"
    rules.mkdir(exist_ok=True)
    (rules / "mine.sql").write_text("-- grain: none\nselect nothing_such\n")
    eventually(lambda: empty.rows("select count(*) from alert_rules where state = 'broken'")[0][0] == 1, "the rule")
    table = part_data(open_page(empty, "alerts"), "alert-rules")
    assert len(column(table, "Rule")) == empty.rows("select count(*) from alert_rules")[0][0]
    error = empty.rows("select error from alert_rules where rule = 'mine'")[0][0]
    assert (column(table, "Rule")[0], column(table, "Runs")[0]) == ("mine", "broken")
    assert formats.first_line(error)[:40] in column(table, "Latest")[0]
    assert set(column(table, "Runs")[1:]) == {"active"}


def test_guard_counts_every_check_by_its_verdict(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "guard", range="7d")
    checks, blocked, redactions = filled.rows(
        "select count(*), count(*) filter (where action = 'block'), sum(redaction_count) from guard_verdicts"
    )[0]
    cards = {card["name"]: card["value"] for card in part_data(page, "guard-kpis")["cards"]}
    assert blocked > 0
    assert cards["check_count"] == formats.count(checks)
    assert cards["blocked_count"] == formats.count(blocked)
    assert cards["redaction_count"] == formats.count(redactions)
    drawn = {each["name"]: sum(each["values"]) for each in part_data(page, "guard-series")["series"]}
    assert sum(drawn.values()) == checks
    assert drawn["block"] == blocked
    assert sum(part_data(page, "guardrails")["columns"][1]["sort"]) == checks
    lookups = filled.rows("select count(*) from cache_lookups")[0][0]
    assert sum(part_data(page, "caches")["columns"][1]["sort"]) == lookups


def test_a_verdict_in_the_address_keeps_only_such_checks_with_their_spans(filled: Stack, open_page: OpenPage) -> None:
    feed = part_data(open_page(filled, "guard", range="7d", verdict="block"), "guard-feed")
    rows = filled.rows("select trace_id, span_id from guard_verdicts where action = 'block' order by started_at desc")
    assert feed["links"] == [f"/trace?trace={trace}&span={span}" for trace, span in rows]
    assert set(column(feed, "Verdict")) == {"block"}


def test_objectives_are_those_of_the_view_and_unknown_ones_are_not_reported(filled: Stack, open_page: OpenPage) -> None:
    table = part_data(open_page(filled, "objectives", range="7d"), "objectives")
    rows = filled.rows("select service, description, attained_ratio, is_attained, burn_rate from service_objectives")
    known = {
        (service, words): (
            formats.ratio(attained),
            formats.times(burn),
            {None: "not reported", True: "attained", False: "missed"}[is_attained],
        )
        for service, words, attained, is_attained, burn in rows
    }
    names = ("Service", "Objective", "Attained", "Burn rate", "State")
    shown = {each[:2]: each[2:] for each in zip(*(column(table, name) for name in names), strict=True)}
    assert shown == known
    assert {"attained", "missed", "not reported"} == set(column(table, "State"))


def test_every_field_of_production_metrics_is_shown_by_service(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, range="7d")
    shown, notes = [], set()
    for view in ("Outcomes", "Latency", "Usage"):
        page.segmented_control(key="production-view").set_value(view).run(timeout=60)
        for each in part_data(page, "production")["columns"]:
            shown.append(each.get("sort") or each["text"])
            notes |= set(each.get("note") or [])
    records = filled.records("select * from production_metrics order by request_count desc, service")
    told = {name: [record[name] for record in records] for name in records[0]}
    judged = zip(told.pop("hallucinated_count"), told.pop("judged_count"), strict=True)
    assert {f"{wrong} of {n}" for wrong, n in judged if n} <= notes
    missing = [name for name, values in told.items() if not any(same(values, each) for each in shown)]
    assert missing == []


def same(expected: list[Any], shown: list[Any]) -> bool:
    pairs = zip(expected, shown, strict=True)
    return all(one == two or (one is not None and two is not None and near(one, two)) for one, two in pairs)


def near(one: Any, two: Any) -> bool:
    return not isinstance(one, str) and not isinstance(two, str) and bool(one == pytest.approx(two, rel=1e-9))


def test_tools_and_sessions_stand_beside_the_period_before(filled: Stack, open_page: OpenPage) -> None:
    tools = {card["name"]: card for card in part_data(open_page(filled, "tools", range="24h"), "tool-kpis")["cards"]}
    sessions = part_data(open_page(filled, "sessions", range="24h"), "session-kpis")["cards"]
    assert all("prev day" in card["against"] for card in [*tools.values(), *sessions])
    week = {card["name"]: card for card in part_data(open_page(filled, "tools", range="7d"), "tool-kpis")["cards"]}
    calls, failed = filled.rows("select count(*), count(*) filter (where status = 'error') from tool_calls")[0]
    assert week["call_count"]["value"] == formats.count(calls)
    assert week["error_count"]["value"] == formats.count(failed)
    known = filled.rows("select count(distinct session_id), count(distinct user_id) from traces")[0]
    cards = part_data(open_page(filled, "sessions", range="7d"), "session-kpis")["cards"]
    seen = {card["name"]: card["value"] for card in cards}
    assert [seen["session_count"], seen["user_count"]] == [formats.count(each) for each in known]
