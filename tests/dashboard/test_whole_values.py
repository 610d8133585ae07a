"""What must not be cut or made up: a cost's mark of unpriced calls, gaps in a sparkline, a slow query's time."""

from typing import Any

import pytest
from playwright.sync_api import expect

from spandeck_dashboard.config import ConfigError, DashboardConfig
from tests.support.chromium import chromium

from .browser import visiting
from .stack import Stack, attribute, plain_span


@pytest.mark.unit
def test_an_answer_is_awaited_longer_than_a_query_may_run() -> None:
    config = DashboardConfig.from_environment({"SPANDECK_QUERY_TIMEOUT_S": "60"})
    assert config.answer_timeout_s > config.query_timeout_s == 60
    assert DashboardConfig().query_timeout_s == 10


@pytest.mark.unit
@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan"])
def test_a_time_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=rf"SPANDECK_QUERY_TIMEOUT_S is '{text}': set it to a number of seconds"):
        DashboardConfig.from_environment({"SPANDECK_QUERY_TIMEOUT_S": text})


def chat(span: str, model: str, output_tokens: int, ago_s: float = 60) -> dict[str, Any]:
    usage = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": output_tokens}
    known = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model} | usage
    return plain_span("0a" * 16, span, ago_s=ago_s, attributes=[attribute(*each) for each in known.items()])


@pytest.mark.integration
def test_the_browser_shows_the_mark_of_unpriced_calls_whole_and_breaks_a_sparkline_in_two(empty: Stack) -> None:
    empty.send([chat("0b" * 8, "gpt-4o", 10_500), chat("0c" * 8, "nobody-sells-this", 10, ago_s=1800)])
    empty.start_dashboard()
    with chromium() as browser, visiting(browser, empty) as visitor:
        visitor.open("/", "overview")
        cost = visitor.table("Agents by cost").locator("tbody td:nth-child(2) .text")
        expect(cost).to_have_text("$0.105 + ?")
        assert cost.evaluate("node => node.scrollWidth <= node.clientWidth")
        assert cost.evaluate(
            "node => node.getBoundingClientRect().left >= node.closest('td').getBoundingClientRect().left"
        )
        expect(visitor.page.locator("article[data-kpi=llm_p95_ms] path.line")).to_have_count(2)
        expect(visitor.page.locator("article[data-kpi=error_ratio] path.line")).to_have_count(2)
        visitor.expect_quiet()
