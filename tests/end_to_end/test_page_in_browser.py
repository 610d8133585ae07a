"""The numbers on the page are those that anyone can compute from the sample files."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from spandeck_collector.replay import replay
from spandeck_collector.sample_files import sample_folder
from spandeck_dashboard import formats

from .sample_truth import Call, quantile, sample_calls
from .stack import Stack, eventually, running

pytestmark = pytest.mark.integration

_CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
]
_TIMEOUT_MS = 60_000
_DAY = timedelta(hours=24)
_FEWEST_CALLS = 1_000


@pytest.fixture
def page() -> Iterator[Page]:
    """A tab of Debian's Chromium."""
    if _CHROMIUM is None:
        pytest.skip("No Chromium on this machine: apt-get install -y --no-install-recommends chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(_TIMEOUT_MS)
            yield page
        finally:
            browser.close()


def test_overview_shows_the_p95_and_the_cost_of_an_independent_computation(tmp_path: Path, page: Page) -> None:
    now_ns = time.time_ns()
    until = datetime.fromtimestamp(now_ns // 10**9 + 1, UTC)
    with running(tmp_path, with_dashboard=True) as stack:
        sent = replay([sample_folder()], endpoint=stack.receiver_url, now_ns=now_ns)
        eventually(lambda: _stored(stack) == sent.sent_span_count, "the sample traces")
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


def _stored(stack: Stack) -> int:
    return int(stack.rows("select count(*) as n from spans")[0]["n"])
