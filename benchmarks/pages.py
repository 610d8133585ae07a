"""`python -m benchmarks.pages`: how fast the pages are over a full store, in Debian's Chromium, with one idle session.

For every click: until the page has settled (nothing changed or painted for 400 ms), what the server took of it (from
the socket's question to its last answer), and what the socket carried. Exit code 1 where a bound is broken, 2 without
Chromium. Wall times follow the load of the machine; CPU by click and KiB hardly do.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from benchmarks.agent_spans import templates
from benchmarks.client.figures import Figure, report
from benchmarks.long_traces import send_trace
from benchmarks.senders import Source, saturate
from benchmarks.stack import Stack, running

_BODY_SPANS = 512
_TEMPLATES = 40
_QUIET_MS = 400
_PATIENCE_MS = 30_000
_DONE = ".spandeck-done"
_WATCH = Path(__file__).with_name("page_watch.js").read_text(encoding="utf-8")
_FRAGMENT_MS, _PAGE_MS, _SERVER_MS, _LONG_TRACE_MS, _FRAMES, _LARGEST_KIB = 300, 500, 100, 2_000, 30, 8_192
_ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@dataclass(frozen=True)
class Click:
    """What is clicked in turn on a page: each of `targets` (Playwright selectors), `rounds` times."""

    name: str
    path: str
    targets: Sequence[str]
    is_fragment: bool = False


_RANGES = tuple(f"role=radio[name='{each}']" for each in ("15m", "6h", "1h", "24h", "7d"))
CLICKS = (
    Click("overview: range", "/?range=24h", _RANGES),
    Click(
        "overview: latency as",
        "/?range=1h",
        ("role=radio[name='Distribution']", "role=radio[name='Percentiles']"),
        is_fragment=True,
    ),
    Click("traces: range", "/traces?range=24h", _RANGES),
    Click("models: range", "/models?range=24h", _RANGES),
    Click("tools: range", "/tools?range=24h", _RANGES),
    Click("cost: by", "/cost?range=1h", tuple(f"role=radio[name='{each}']" for each in ("Agent", "Service", "Model"))),
    Click("agents: range", "/agents?range=24h", _RANGES),
    Click("guard: range", "/guard?range=24h", _RANGES),
    Click("objectives: range", "/objectives?range=24h", _RANGES),
)


def main() -> int:
    """Fill a store, click, print."""
    options = _options()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed: apt-get install -y --no-install-recommends chromium", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="spandeck-pages-") as folder, running(Path(folder)) as stack:
        _fill(stack, options.spans)
        with _page(chromium, stack) as page:
            figures = [figure for click in CLICKS for figure in _measured(page, stack, click, options.rounds)]
            figures += _details(page, stack, options.rounds)
            figures += _long(page, stack)
    return report(figures, as_json=options.json)


def _fill(stack: Stack, spans: int) -> None:
    source = Source(templates(_TEMPLATES, _BODY_SPANS, seed=7))
    with Console(stderr=True).status(f"Storing {spans:,} spans ..."):
        sent = saturate(stack.settings.http_port, source, max(spans // _BODY_SPANS, 1), 4, lambda _: None)
        while stack.stored_span_count() < sent.span_count:
            time.sleep(1)


@contextmanager
def _page(chromium: str, stack: Stack) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, base_url=stack.settings.url(stack.settings.ui_port)
        )
        page = context.new_page()
        page.add_init_script(_WATCH)
        yield page
        browser.close()


def _open(page: Page, path: str) -> dict[str, float]:
    page.goto(path, wait_until="commit")
    page.wait_for_selector(_DONE, state="attached", timeout=_PATIENCE_MS)
    return _settle(page)


def _settle(page: Page) -> dict[str, float]:
    known: dict[str, float] = page.evaluate(
        "([quiet, patience]) => __settle(quiet, patience)", [_QUIET_MS, _PATIENCE_MS]
    )
    return known


def _measured(page: Page, stack: Stack, click: Click, rounds: int) -> list[Figure]:
    _open(page, click.path)
    seen = []
    before = stack.cpu_s()
    for _ in range(rounds):
        for target in click.targets:
            page.evaluate("() => __arm()")
            page.locator(target).first.click()
            seen.append(_settle(page))
    figures = _figures(click.name, seen, _FRAGMENT_MS if click.is_fragment else _PAGE_MS)
    return [*figures, *_cpu(click.name, before, stack, len(seen))]


def _cpu(name: str, before: Mapping[str, float], stack: Stack, count: int) -> list[Figure]:
    """CPU of a click, by process: what the load of the machine changes least."""
    after = stack.cpu_s()
    return [
        Figure(f"{name}, CPU of the {each}", (after[each] - before[each]) * 1000 / count, "ms", count)
        for each in ("dashboard", "store")
    ]


def _figures(name: str, seen: Sequence[dict[str, float]], bound: int) -> list[Figure]:
    return [
        Figure(f"{name}, settled p95", _p95([each["settled"] for each in seen]), "ms", len(seen), bound),
        Figure(f"{name}, first change p95", _p95([each["first"] for each in seen]), "ms", len(seen)),
        Figure(f"{name}, server p95", _p95([each["server"] for each in seen]), "ms", len(seen), _SERVER_MS),
        Figure(f"{name}, socket", statistics.median(each["kib"] for each in seen), "KiB", len(seen)),
    ]


def _details(page: Page, stack: Stack, rounds: int) -> list[Figure]:
    trace = stack.rows("select trace_id from traces order by span_count desc limit 1")[0]["trace_id"]
    _open(page, f"/trace?trace={trace}")
    tree = page.get_by_role("tree")
    seen = []
    for _ in range(rounds * 3):
        page.evaluate("() => __arm()")
        tree.press("ArrowDown")
        seen.append(_settle(page))
    return _figures("trace: next span", seen, _FRAGMENT_MS)


def _long(page: Page, stack: Stack) -> list[Figure]:
    figures = []
    for spans in (5_000, 50_000):
        trace_id = send_trace(stack, spans)
        began = time.monotonic()
        seen = _open(page, f"/trace?trace={trace_id}")
        opened_ms = (time.monotonic() - began) * 1000 - _QUIET_MS
        name = f"trace of {spans:,} spans"
        figures += [
            Figure(f"{name}, opened", opened_ms, "ms", 1, _LONG_TRACE_MS if spans == 5_000 else None),
            Figure(f"{name}, largest message", seen["largest"], "KiB", 1, _LARGEST_KIB),
        ]
        frames: Any = page.evaluate(
            "() => __scroll([...document.querySelectorAll('*')].map((n) => n.shadowRoot?.querySelector('.body'))"
            ".find(Boolean) ?? document.querySelector('.waterfall .body'), 2)"
        )
        figures.append(Figure(f"{name}, scrolling", float(frames), "frames/s", 1, _FRAMES, at_least=True))
    return figures


def _p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(round(0.95 * (len(ordered) - 1)), len(ordered) - 1)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans in the store")
    parser.add_argument("--rounds", type=int, default=4, help="how often each round of clicks is done")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
