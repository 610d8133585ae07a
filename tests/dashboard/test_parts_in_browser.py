"""Our own parts in real Chromium: brush, topology, lanes, editor, live feed, and what a screen reader finds."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import TIMEOUT_MS, chromium

from .browser import Visitor, visiting
from .stack import Stack, attribute, now_ns, plain_span

pytestmark = pytest.mark.integration

expect.set_options(timeout=TIMEOUT_MS)

PAGES = (
    *("overview", "traces", "sessions", "alerts", "objectives"),
    *("models", "agents", "tools", "cost", "guard"),
    *("sql", "health"),
)

# Rules that Streamlit's own elements break, and what tells that they are its; everything else must pass.
FRAMEWORK = {"list": "stSidebarNavItems", "listitem": '<li class="st-emotion-cache-'}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(filled: Stack) -> Stack:
    if "spandeck_dashboard" not in filled.processes:
        filled.start_dashboard(SPANDECK_SAMPLE_DATA="1")
    return filled


@pytest.fixture
def visitor(browser: Browser, served: Stack) -> Iterator[Visitor]:
    with visiting(browser, served) as visitor:
        yield visitor
        visitor.expect_quiet()


def drag(page: Page, part: str, start: float, end: float) -> None:
    """Drag over a board, from and to a share of its width."""
    box = page.locator(f".st-key-{part} canvas").bounding_box()
    assert box
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, height, steps=4)
    page.mouse.move(box["x"] + box["width"] * end, height, steps=4)
    page.mouse.up()


def test_a_brush_over_a_chart_sets_the_period_and_any_range_takes_it_back(visitor: Visitor) -> None:
    visitor.open("/?range=24h", "overview")
    drag(visitor.page, "latency", 0.5, 0.75)
    expect(visitor.page).to_have_url(re.compile(r"since=.*until=|until=.*since="))
    address = parse_qs(urlsplit(visitor.page.url).query)
    begin, end = address["since"][0], address["until"][0]
    assert begin < end
    expect(visitor.page.locator(".st-key-fixed-end")).to_contain_text(" to ")
    visitor.page.get_by_role("link", name="Traces").click()
    visitor.done("traces")
    assert parse_qs(urlsplit(visitor.page.url).query)["since"] == [begin]
    visitor.page.get_by_role("radio", name="6h").click()
    expect(visitor.page.locator(".st-key-fixed-end")).to_have_count(0)
    expect(visitor.page).not_to_have_url(re.compile("since="))


def test_a_chart_is_read_and_brushed_by_keyboard(visitor: Visitor) -> None:
    visitor.open("/?range=24h", "overview")
    board = visitor.page.get_by_role("group", name="Failed model and tool calls over time")
    board.focus()
    board.press("ArrowRight")
    expect(board.locator(".said")).not_to_be_empty()
    for _ in range(4):
        board.press("Shift+ArrowRight")
    board.press("Enter")
    expect(visitor.page).to_have_url(re.compile("since="))


def test_the_map_of_a_trace_leads_to_the_failed_span(visitor: Visitor) -> None:
    trace_id, span_id, tool = visitor.stack.rows(
        "select trace_id, span_id, tool_name from tool_calls where status = 'error' and agent_name is not null "
        "order by started_at desc limit 1"
    )[0]
    visitor.open(f"/trace?trace={trace_id}&view=Topology", "trace")
    card = visitor.page.get_by_role("button", name=re.compile(f"^tool {tool}"))
    expect(card).to_contain_text("\u2715")
    card.press("Enter")
    expect(visitor.chosen()).to_have_id(f"span-{span_id}")


def test_spans_that_run_at_once_stand_in_lanes_of_their_own(visitor: Visitor) -> None:
    trace_id, spans = visitor.stack.rows("select trace_id, span_count from traces order by span_count desc limit 1")[0]
    visitor.open(f"/trace?trace={trace_id}", "trace")
    visitor.page.get_by_role("button", name="Lanes").click()
    bars = visitor.page.locator(".packed")
    expect(bars).to_have_count(spans)
    boxes = bars.evaluate_all(
        "nodes => nodes.map((n) => [n.style.top, parseFloat(n.style.left), parseFloat(n.style.width)])"
    )
    by_lane: dict[str, list[tuple[float, float]]] = {}
    for top, left, width in boxes:
        by_lane.setdefault(top, []).append((left, left + width))
    for lane in by_lane.values():
        ordered = sorted(lane)
        assert all(one[1] <= other[0] + 0.2 for one, other in pairwise(ordered))


def test_a_statement_is_typed_run_and_downloaded_without_a_formula(visitor: Visitor) -> None:
    visitor.open("/sql", "sql")
    area = visitor.page.get_by_role("textbox", name="SQL statement")
    area.fill("select '=1+1' as cell, -5 as number")
    area.press("Control+Enter")
    expect(visitor.table("Rows of the result")).to_contain_text("=1+1")
    expect(visitor.page).to_have_url(re.compile("sql=select"))
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert rows == [["cell", "number"], ["'=1+1", "-5"]]
    area.fill("select * from range(100001)")
    visitor.page.get_by_role("button", name="Run").click()
    expect(visitor.page.locator(".st-key-refused-sql")).to_contain_text("100,000 rows")


def test_the_tail_shows_a_new_trace_by_itself_and_rests_when_hidden(browser: Browser, empty: Stack) -> None:
    empty.send([plain_span("0a" * 16, "0b" * 8, name="the first")])
    empty.start_dashboard()
    with visiting(browser, empty) as visitor:
        visitor.open("/traces?live=true", "traces")
        expect(visitor.table("Traces, newest first")).to_contain_text("the first")
        expect(visitor.page.locator(".pulse[data-state=live]")).to_have_count(1)
        empty.send([plain_span("0c" * 16, "0d" * 8, name="the second")])
        expect(visitor.table("Traces, newest first")).to_contain_text("the second")
        visitor.page.evaluate(
            "() => { Object.defineProperty(document, 'visibilityState', { value: 'hidden' });"
            " document.dispatchEvent(new Event('visibilitychange')); }"
        )
        expect(visitor.page.locator(".pulse[data-state=paused]")).to_have_count(1)
        visitor.expect_quiet()


def test_one_click_loads_the_sample_traces(browser: Browser, empty: Stack) -> None:
    empty.start_dashboard()
    with visiting(browser, empty) as visitor:
        visitor.open("/", "overview")
        visitor.page.get_by_role("button", name="Load sample traces").click()
        expect(visitor.table("Tools, worst first").locator("tbody tr").first).to_contain_text("%")
        expect(visitor.page.locator(".st-key-sample-bar")).to_have_count(0)
        assert empty.span_count() > 4_000


@pytest.mark.chaos
def test_hostile_words_stay_words_in_every_part(browser: Browser, empty: Stack) -> None:
    evil = '<img src="http://evil.example/x.png" onerror="window.hacked=1"><script>window.hacked=1</script>'
    words = f"{evil} ![leak](http://evil.example/leak.png) [click](http://evil.example) :red[red]"
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": words,
        "gen_ai.conversation.id": words,
        "gen_ai.input.messages": json.dumps([{"role": words, "content": words}]),
    }
    chat: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": words,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
    }
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": words, "error.type": words}
    spans = [
        _span("0d", "0b", tool, words) | {"status": {"code": 2, "message": words}},
        _span("0c", "0b", chat, words),
        _span("0b", None, agent, words),
    ]
    empty.send(spans, service=words)
    empty.start_dashboard()
    trace = f"/trace?trace={'0a' * 16}"
    with visiting(browser, empty) as visitor:
        for name in PAGES:
            visitor.open(f"/{'' if name == 'overview' else name}", name)
        for view in ("Waterfall", "Topology", "Conversation", "Attributes", "SQL"):
            visitor.open(f"{trace}&view={view}", "trace")
        visitor.open(f"{trace}&view=Topology", "trace")
        expect(visitor.page.locator(".topology .node").first).to_contain_text("<script>")
        visitor.open("/sql?sql=select+name,+tool_name+from+spans", "sql")
        expect(visitor.table("Rows of the result")).to_contain_text("![leak]")
        assert visitor.page.evaluate("() => window.hacked") is None
        assert visitor.page.locator("img[src*=evil], a[href*='evil.example']").count() == 0
        visitor.expect_quiet()


def _span(span: str, parent: str | None, attributes: Mapping[str, str | int], name: str) -> dict[str, Any]:
    return {
        "traceId": "0a" * 16,
        "spanId": span * 8,
        "name": name,
        "startTimeUnixNano": str(now_ns(3)),
        "endTimeUnixNano": str(now_ns(1)),
        "attributes": [attribute(*each) for each in attributes.items()],
    } | ({"parentSpanId": parent * 8} if parent else {})


def test_axe_finds_nothing_on_the_two_busiest_pages(browser: Browser, served: Stack) -> None:
    trace = served.rows("select trace_id from traces where failed_tool_call_count > 0 order by span_count desc limit 1")
    assert broken_rules(browser, served, "dark", [("overview", "/?range=24h")]) == []
    assert broken_rules(browser, served, "light", [("trace", f"/trace?trace={trace[0][0]}")]) == []


@pytest.mark.axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser: Browser, served: Stack, scheme: str) -> None:
    trace = served.rows("select trace_id from traces where failed_tool_call_count > 0 order by span_count desc limit 1")
    addresses = [(name, f"/{'' if name == 'overview' else name}?range=24h") for name in PAGES]
    views = ("Waterfall", "Topology", "Conversation", "Attributes", "SQL")
    addresses += [("trace", f"/trace?trace={trace[0][0]}&view={view}") for view in views]
    assert broken_rules(browser, served, scheme, addresses) == []


def broken_rules(browser: Browser, stack: Stack, scheme: str, addresses: list[tuple[str, str]]) -> list[str]:
    """What axe-core finds (WCAG 2.1 A and AA) that is not the framework's own."""
    found: list[str] = []
    with visiting(browser, stack, scheme) as visitor:
        for name, address in addresses:
            visitor.open(address, name)
            visitor.page.wait_for_load_state("networkidle")
            options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
            for violation in Axe().run(visitor.page, options=options).response["violations"]:
                own = [n["html"] for n in violation["nodes"] if FRAMEWORK.get(violation["id"], "\0") not in n["html"]]
                found += [f"{address}: {violation['id']}: {html[:200]}" for html in own]
    return found
