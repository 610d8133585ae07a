"""The numbers on the page are those that anyone can compute from the sample files."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page

from spandeck_collector.replay import replay
from spandeck_collector.sample_files import sample_folder
from spandeck_dashboard import formats
from tests.support.chromium import TIMEOUT_MS, chromium
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually

from .sample_truth import Call, quantile, sample_calls

pytestmark = pytest.mark.integration

_DAY = timedelta(hours=24)
_FEWEST_CALLS = 1_000


@pytest.fixture
def page() -> Iterator[Page]:
    """A tab of Debian's Chromium."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(TIMEOUT_MS)
        yield page


def test_overview_shows_the_p95_and_the_cost_of_an_independent_computation(tmp_path: Path, page: Page) -> None:
    now_ns = time.time_ns()
    until = datetime.fromtimestamp(now_ns // 10**9 + 1, UTC)
    with ready_stack(tmp_path, "up") as stack:
        sent = replay([sample_folder()], endpoint=stack.receiver_url, now_ns=now_ns)
        eventually(lambda: stack.span_count() == sent.sent_span_count, "the sample traces")
        p95, cost = _shown(stack, page, until)
    calls = _within_a_day(sample_calls(sample_folder(), sent.shift_ns), until)
    assert len(calls) > _FEWEST_CALLS
    assert p95 == formats.duration(quantile((call.duration_ms for call in calls if call.is_llm), 0.95))
    assert cost == formats.money(sum((call.cost_usd for call in calls if call.cost_usd is not None), Decimal()))


def _shown(stack: Stack, page: Page, until: datetime) -> tuple[str, str]:
    """p95 of model calls and cost, as the Overview prints them."""
    address = stack.settings.url(stack.settings.ui_port)
    page.goto(f"{address}/?range=24h&until={until:%Y-%m-%dT%H:%M:%SZ}", wait_until="commit")
    page.locator(".spandeck-done", has_text="done · overview").first.wait_for(state="attached")
    return _figure(page, "llm_p95_ms"), _figure(page, "cost_usd")


def _figure(page: Page, name: str) -> str:
    return page.locator(f"[data-kpi={name}] .value").inner_text()


def _within_a_day(calls: list[Call], until: datetime) -> list[Call]:
    until_ns = int(until.timestamp()) * 10**9
    since_ns = until_ns - int(_DAY.total_seconds()) * 10**9
    return [call for call in calls if since_ns <= call.started_ns < until_ns]
