"""What the figures of the Overview count: calls, tools under a filter, and a period before that is worth comparing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spandeck_dashboard.queries import ask

from .conftest import OpenPage, part_data
from .stack import Stack, attribute, plain_span

pytestmark = pytest.mark.integration

Span = dict[str, Any]
AGENT: dict[str, str | int] = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "x"}
CHAT: dict[str, str | int] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
USAGE: dict[str, str | int] = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}
FAILED = {"code": 2}
TOOL: dict[str, str | int] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}


def span(trace: int, number: int, attributes: dict[str, str | int], parent: int | None = None, **more: Any) -> Span:
    """A span with these attributes, a minute ago unless `more` says otherwise."""
    values: dict[str, Any] = {"ago_s": 60, "attributes": [attribute(*each) for each in attributes.items()]}
    if parent is not None:
        values["parentSpanId"] = f"{parent:016x}"
    return plain_span(f"{trace:032x}", f"{number:016x}", **(values | more))


def column(page: Any, table: str, label: str) -> list[str]:
    return next(list(each["text"]) for each in part_data(page, table)["columns"] if each["label"] == label)


def kpi(page: Any, name: str) -> dict[str, Any]:
    return next(dict(card) for card in part_data(page, "kpis")["cards"] if card["name"] == name)


def test_usage_that_an_agent_reports_itself_is_cost_but_no_call(empty: Stack, open_page: OpenPage) -> None:
    model = {"gen_ai.request.model": "gpt-4o"}
    empty.send([span(1, 1, AGENT | model | USAGE, status=FAILED)])
    empty.send([span(2, 2, AGENT), *(span(2, each, CHAT | USAGE, parent=2) for each in (3, 4, 5, 6))])
    assert empty.rows("select kind, count(*) from llm_calls group by 1 order by 1") == [["agent", 1], ["llm", 4]]
    page = open_page(empty)
    assert column(page, "agents", "Agent") == ["x"]
    assert column(page, "agents", "Calls") == column(page, "models", "Calls") == ["4"]
    assert column(page, "agents", "Failed") == ["0 %"]
    assert column(page, "agents", "Tokens") == ["550"]
    assert column(page, "agents", "Cost") == column(page, "models", "Cost") == [kpi(page, "cost_usd")["value"]]
    assert kpi(page, "error_ratio")["value"] == "0 %"


def test_an_agent_without_a_call_of_its_own_has_no_error_ratio(empty: Stack, open_page: OpenPage) -> None:
    empty.send([span(1, 1, AGENT | CHAT | {"gen_ai.operation.name": "invoke_agent"} | USAGE)])
    page = open_page(empty)
    assert (column(page, "agents", "Calls"), column(page, "agents", "Failed")) == (["0"], ["–"])  # noqa: RUF001


def test_a_model_filter_keeps_the_tools_of_its_traces_on_every_card(
    empty: Stack, open_page: OpenPage, asks: Callable[[Stack], None]
) -> None:
    other = CHAT | {"gen_ai.request.model": "other-model"}
    empty.send([span(1, 1, CHAT | USAGE), span(1, 2, TOOL, parent=1, status=FAILED)])
    empty.send([span(2, 3, other | USAGE), span(2, 4, TOOL, parent=3, status=FAILED), span(2, 5, TOOL, parent=3)])
    page = open_page(empty, model="gpt-4o")
    assert kpi(page, "error_ratio")["value"] == "50.0 %"
    assert kpi(page, "error_ratio")["note"] == "1 failed call"
    assert column(page, "tools", "Calls") == ["1"]
    assert column(page, "error-kinds", "Count") == ["1"]
    end = datetime.now(UTC) + timedelta(minutes=1)
    filters = {"since": end - timedelta(hours=1), "until": end, "service": None, "model": "gpt-4o", "agent": None}
    assert ask("error_series", **filters)["tool_error_count"].sum() == 1
    assert ask("kpi_series", **filters)["error_ratio"].max() == 0.5


def runs(first: int, count: int, ago_s: float) -> list[Span]:
    return [span(each, each, {}, ago_s=ago_s) for each in range(first, first + count)]


@pytest.mark.parametrize(
    ("counts", "change", "against"),
    [
        pytest.param((5, 1), "+100 %", "vs prev hour", id="enough"),
        pytest.param((4, 1), "", "vs prev hour: too few", id="four runs are no base"),
        pytest.param((5, 0), "", "vs prev hour: too few", id="recording began within it"),
        pytest.param((0, 1), "", "vs prev hour: too few", id="none"),
    ],
)
def test_a_change_is_told_against_a_period_that_was_recorded_and_has_runs(
    empty: Stack, open_page: OpenPage, counts: tuple[int, int], change: str, against: str
) -> None:
    before, earlier = counts
    empty.send(
        [*runs(1, earlier, 4 * 3600), *runs(10, before, 5400), *runs(20, 9, 60), span(30, 30, CHAT | USAGE, ago_s=60)]
    )
    card = kpi(open_page(empty), "run_count")
    assert (card["value"], card["change"], card["against"]) == ("10", change, against)
