"""Debian's Chromium on a stack, and what a test reads off its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.support.chromium import TIMEOUT_MS

from .stack import Stack

# Streamlit looks for its endpoints below a deep link first: these answers are no fault of the page.
_EXPECTED_COMPLAINTS = ("404 (Not Found)",)


class Visitor:
    """One browser tab; keeps what the page complained of and every address that it asked for."""

    def __init__(self, context: BrowserContext, stack: Stack) -> None:
        self.stack = stack
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self._note(line.type, line.text))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and not any(known in text for known in _EXPECTED_COMPLAINTS):
            self.complaints.append(text)

    def open(self, path: str, name: str) -> None:
        """Go to an address and wait until the page called `name` is done."""
        self.page.goto(f"http://localhost:{self.stack.settings.ui_port}{path}", wait_until="commit")
        self.done(name)

    def done(self, name: str) -> None:
        """Wait for a page's hidden sign."""
        mark = self.page.locator(".spandeck-done", has_text=f"done · {name}")
        mark.first.wait_for(state="attached")

    def click_row(self, table: str, text: str) -> None:
        """Click the first row of a table that holds a text."""
        self.table(table).locator("tbody tr", has_text=text).first.click()

    def table(self, label: str) -> Locator:
        """A table by its label."""
        return self.page.get_by_role("table", name=label)

    def chosen(self) -> Locator:
        """The selected row of the waterfall."""
        return self.page.locator(".waterfall .row[aria-selected=true]:not([hidden])")

    def expect_quiet(self) -> None:
        """No script error, and nothing asked of anyone but this server."""
        assert self.complaints == []
        hosts = {urlsplit(url).hostname for url in self.requested if urlsplit(url).scheme in {"http", "https", "ws"}}
        assert hosts <= {"localhost", "127.0.0.1"}


@contextmanager
def visiting(browser: Browser, stack: Stack, scheme: str = "light") -> Iterator[Visitor]:
    """A visitor with a clean profile."""
    dark = scheme == "dark"
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="dark" if dark else "light",
        timezone_id="Europe/Berlin",
        permissions=["clipboard-read", "clipboard-write"],
    )
    try:
        yield Visitor(context, stack)
    finally:
        context.close()
