"""What a visitor does, in real Chromium against real processes."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.chromium import TIMEOUT_MS, chromium

from .browser import Visitor, visiting
from .stack import Stack, attribute, now_ns, plain_span

pytestmark = pytest.mark.integration

expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(filled: Stack) -> Stack:
    """The filled stack with a page of sample data."""
    filled.start_dashboard(SPANDECK_SAMPLE_DATA="1")
    return filled


@pytest.fixture
def visitor(browser: Browser, served: Stack) -> Iterator[Visitor]:
    with visiting(browser, served) as visitor:
        yield visitor
        visitor.expect_quiet()


def test_a_deep_link_restores_its_filters(visitor: Visitor) -> None:
    model, cost = visitor.stack.rows(
        "select model, sum(cost_usd) from llm_calls group by 1 order by 2 desc nulls last"
    )[0]
    visitor.open(f"/?range=7d&model={model}", "overview")
    card = visitor.page.locator("article[data-kpi=cost_usd] .value")
    expect(card).to_have_text(f"${cost:.2f}")
    expect(visitor.page.get_by_text("sample data")).to_be_visible()


def test_filters_last_from_page_to_page(visitor: Visitor) -> None:
    visitor.open("/", "overview")
    visitor.page.get_by_role("radio", name="24h").click()
    expect(visitor.page).to_have_url(re.compile(r"range=24h"))
    visitor.page.get_by_role("link", name="Traces").click()
    visitor.done("traces")
    expect(visitor.page).to_have_url(re.compile(r"/traces\?.*range=24h"))
    visitor.table("Traces, newest first").locator("tbody tr").first.click()
    visitor.done("trace")
    expect(visitor.page).to_have_url(re.compile(r"/trace\?.*trace=[0-9a-f]{32}"))
    visitor.page.get_by_role("link", name="Alerts").click()
    visitor.done("alerts")
    expect(visitor.page).to_have_url(re.compile(r"/alerts\?.*range=24h"))


def test_an_alert_leads_to_its_span_in_one_click(visitor: Visitor) -> None:
    span_id, subject = visitor.stack.rows(
        "select span_id, subject from alerts where rule = 'failed_tool_call' order by fired_at desc limit 1"
    )[0]
    visitor.open("/alerts?range=7d&severity=error", "alerts")
    visitor.table("Alerts, latest first").locator("tbody tr").first.click()
    visitor.done("trace")
    expect(visitor.chosen()).to_have_id(f"span-{span_id}")
    expect(visitor.page.locator(".st-key-span-error")).to_contain_text(subject.rpartition(": ")[2])


def test_the_worst_tool_leads_to_its_latest_failure(visitor: Visitor) -> None:
    visitor.open("/?range=7d", "overview")
    tools = visitor.table("Tools, worst first")
    expect(tools.locator("tbody tr").first).to_contain_text("%")
    tools.locator("tbody tr").first.click()
    visitor.done("trace")
    expect(visitor.chosen()).to_have_class(re.compile("failed"))


def test_the_tree_is_worked_by_keyboard_and_details_follow(visitor: Visitor) -> None:
    trace_id = visitor.stack.rows(
        "select trace_id from traces where root_name is not null order by span_count desc limit 1"
    )[0][0]
    visitor.open(f"/trace?trace={trace_id}", "trace")
    tree = visitor.page.get_by_role("tree")
    tree.focus()
    tree.press("Home")
    expect(visitor.chosen()).to_have_attribute("aria-level", "1")
    name = visitor.page.locator(".st-key-span-name")
    root = visitor.chosen().locator(".name").inner_text()
    expect(name).to_have_text(root)
    rows = visitor.page.locator(".waterfall .row:not([hidden])")
    many = rows.count()
    tree.press("ArrowLeft")
    expect(rows).to_have_count(1)
    tree.press("ArrowRight")
    expect(rows).to_have_count(many)
    tree.press("ArrowDown")
    expect(visitor.chosen()).to_have_attribute("aria-level", "2")
    second = visitor.chosen().locator(".name").inner_text()
    expect(name).to_have_text(second)
    visitor.page.get_by_role("searchbox", name="Find spans").fill("no span is called this")
    expect(rows).to_have_count(0)


def test_a_link_to_the_selected_span_is_copied(visitor: Visitor) -> None:
    trace_id, span_id = visitor.stack.rows("select trace_id, span_id from tool_calls where status = 'error' limit 1")[0]
    visitor.open(f"/trace?trace={trace_id}&span={span_id}", "trace")
    visitor.page.get_by_role("button", name="Copy link").click()
    expect(visitor.page.get_by_role("button", name="Copied")).to_be_visible()
    copied = visitor.page.evaluate("() => navigator.clipboard.readText()")
    assert f"trace={trace_id}" in copied
    assert f"span={span_id}" in copied


def test_the_sql_of_a_card_can_be_read_and_run(visitor: Visitor) -> None:
    visitor.open("/?range=7d", "overview")
    visitor.page.locator(".st-key-sql-tools button").first.click()
    code = visitor.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").first
    expect(code).to_contain_text("from tool_calls")
    rows = visitor.stack.rows(code.locator("code").inner_text())
    assert rows
    assert rows[0][0] == visitor.table("Tools, worst first").locator("tbody tr td").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_are_ours_and_every_hook_of_our_styles_is_there(
    browser: Browser, served: Stack, scheme: str
) -> None:
    with visiting(browser, served, scheme) as visitor:
        visitor.open("/?range=7d", "overview")
        page = visitor.page
        for hook in ("stMainBlockContainer", "stSidebarHeader", "stSidebarNavLink", "stHeader", "stVerticalBlock"):
            assert page.get_by_test_id(hook).count() > 0, hook
        for key in ("topbar", "filters", "strip-kpis", "alert-strip", "card-latency", "head-latency", "sql-latency"):
            assert page.locator(f".st-key-{key}").count() > 0, key
        card = page.locator(".st-key-card-latency").evaluate("node => getComputedStyle(node).backgroundColor")
        assert card == ("rgb(21, 26, 33)" if scheme == "dark" else "rgb(255, 255, 255)")
        wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        visitor.expect_quiet()


def test_what_a_span_said_is_shown_by_side_and_what_was_cut_is_marked(browser: Browser, empty: Stack) -> None:
    spoken = {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Where is my parcel?",
        "output.value": "<b>" + "On its way. " * 5_000,
    }
    attributes = [attribute(*each) for each in spoken.items()]
    empty.send([plain_span("0a" * 16, "0b" * 8, attributes=attributes)])
    empty.start_dashboard()
    with visiting(browser, empty) as visitor:
        visitor.open(f"/trace?trace={'0a' * 16}", "trace")
        body = visitor.page.locator(".st-key-span-body")
        expect(body).to_contain_text("Input · user")
        expect(body).to_contain_text("Where is my parcel?")
        expect(body).to_contain_text("Output · cut, 60k bytes in all")
        expect(body).to_contain_text("[… cut …]")
        tab = visitor.page.locator(".st-key-span-tab").get_by_role("radio", name="Attributes")
        tab.click()
        expect(tab).to_be_checked()
        expect(body).not_to_contain_text("Where is my parcel?")
        visitor.expect_quiet()


def test_hostile_spans_are_only_ever_text(browser: Browser, empty: Stack) -> None:
    evil = '<img src="http://evil.example/x.png" onerror="window.hacked=1"><script>window.hacked=1</script>'
    markdown = "![leak](http://evil.example/leak.png) [click](http://evil.example) $\\LaTeX$ :red[red]"
    messages = [{"role": "user", "parts": [{"type": "text", "content": f"{evil} {markdown}"}]}]
    tool = {
        "traceId": "0a" * 16,
        "spanId": "0c" * 8,
        "parentSpanId": "0b" * 8,
        "name": f"execute_tool {evil}",
        "startTimeUnixNano": str(now_ns(2)),
        "endTimeUnixNano": str(now_ns(1)),
        "status": {"code": 2, "message": f"{evil} {markdown}"},
        "attributes": [
            attribute("gen_ai.operation.name", "execute_tool"),
            attribute("gen_ai.tool.name", f"{evil} {markdown}"),
            attribute("error.type", f"{evil} {markdown}"),
            attribute("gen_ai.input.messages", json.dumps(messages)),
            attribute(evil, markdown),
        ],
    }
    root = plain_span("0a" * 16, "0b" * 8, name=f"{evil} {markdown}", ago_s=3)
    empty.send([tool, root], service=f"{evil} {markdown}")
    empty.start_dashboard()
    with visiting(browser, empty) as visitor:
        visitor.open("/", "overview")
        expect(visitor.table("Tools, worst first")).to_contain_text("window.hacked=1")
        visitor.open("/traces", "traces")
        expect(visitor.table("Traces, newest first")).to_contain_text("![leak]")
        visitor.open("/alerts", "alerts")
        expect(visitor.table("Alerts, latest first")).to_contain_text("<script>")
        visitor.open(f"/trace?trace={'0a' * 16}", "trace")
        expect(visitor.page.locator(".st-key-span-error")).to_contain_text("<script>")
        tabs = visitor.page.locator(".st-key-span-tab")
        for name in ("Content", "Cost", "Attributes", "Events", "Resource"):
            tabs.get_by_role("radio", name=name).click()
            expect(tabs.get_by_role("radio", name=name)).to_be_checked()
        assert visitor.page.evaluate("() => window.hacked") is None
        assert visitor.page.locator("img[src*=evil], a[href*='evil.example']").count() == 0
        visitor.expect_quiet()


def test_the_first_span_turns_the_first_page_into_the_overview(browser: Browser, empty: Stack) -> None:
    empty.start_dashboard()
    with visiting(browser, empty) as visitor:
        visitor.open("/", "overview")
        expect(visitor.page.get_by_text("Point your exporter here")).to_be_visible()
        empty.send([plain_span("0a" * 16, "0b" * 8)])
        expect(visitor.table("Services")).to_contain_text("shop")
        visitor.expect_quiet()


def test_an_outage_is_a_bar_and_ends_by_itself(browser: Browser, empty: Stack) -> None:
    empty.send([plain_span("0a" * 16, "0b" * 8)])
    empty.start_dashboard()
    with visiting(browser, empty) as visitor:
        visitor.open("/", "overview")
        expect(visitor.table("Services")).to_contain_text("shop")
        empty.stop("store")
        visitor.page.get_by_role("link", name="Alerts").click()
        bar = visitor.page.locator(".st-key-down-bar")
        expect(bar).to_contain_text("Collector not reachable since")
        visitor.page.get_by_role("link", name="Overview").click()
        expect(visitor.table("Services")).to_contain_text("shop")
        empty.start_store()
        expect(bar).to_have_count(0)
        assert visitor.complaints == []
