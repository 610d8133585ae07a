"""Makes docs/screens/*.png: every page in both themes, from a demo of its own. `make screenshots` runs it.

Needs Debian's chromium (`apt-get install -y --no-install-recommends chromium`).
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from spandeck_collector.query_client import ask, command

SCREENS = Path(__file__).parent / "screens"
PAGES = {
    "overview": "/?range=1h",
    "traces": "/traces?range=24h",
    "trace": "/trace?trace={trace}",
    "trace_topology": "/trace?trace={trace}&view=Topology",
    "trace_conversation": "/trace?trace={talk}&view=Conversation",
    "sessions": "/sessions?range=24h",
    "alerts": "/alerts?range=24h",
    "objectives": "/objectives?range=24h",
    "guard": "/guard?range=24h",
    "models": "/models?range=24h",
    "agents": "/agents?range=24h&service=research-system",
    "tools": "/tools?range=24h",
    "cost": "/cost?range=24h",
    "sql": "/sql",
    "health": "/health",
}
_CHROMIUM = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
_PORTS = ("http-port", "grpc-port", "query-port", "ui-port")
_TRACE = "select trace_id from traces where failed_tool_call_count > 0 order by span_count desc limit 1"
_TALK = (
    "select trace_id from span_content inner join spans using (trace_id, span_id) where spans.kind = 'llm' "
    "group by trace_id order by count(*) desc, trace_id limit 1"
)
_BUDGETS = """
[[budgets]]
name = "everything a day"
period = "day"
soft_usd = 5
hard_usd = 20

[[budgets]]
name = "support a day"
period = "day"
service = "support-desk"
soft_usd = 2
hard_usd = 4

[[budgets]]
name = "a session"
period = "session"
hard_usd = 0.5
"""
_DEADLINE_MS = 60_000
_CHARTS_MS = 1_500


def main() -> int:
    """Take all pictures; 2 when there is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed: apt-get install -y --no-install-recommends chromium", file=sys.stderr)
        return 2
    SCREENS.mkdir(exist_ok=True)
    with _demo() as ports, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_CHROMIUM))
        store = f"http://127.0.0.1:{ports['query-port']}"
        command(store, "import_budgets", {"text": _BUDGETS})
        named = {
            name: ask(store, sql).column("trace_id")[0].as_py() for name, sql in (("trace", _TRACE), ("talk", _TALK))
        }
        for theme in ("light", "dark"):
            for name, path in PAGES.items():
                _take(browser, f"http://127.0.0.1:{ports['ui-port']}{path.format(**named)}", name, theme)
        browser.close()
    return 0


def _take(browser: Browser, address: str, name: str, theme: str) -> None:
    context = browser.new_context(
        viewport={"width": 1440, "height": 960}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".spandeck-done", state="attached", timeout=_DEADLINE_MS)
    # Charts draw after the page has said that it is done, and say nothing themselves.
    page.wait_for_timeout(_CHARTS_MS)
    page.screenshot(path=SCREENS / f"{name}_{theme}.png", animations="disabled")
    context.close()
    print(f"{name}_{theme}.png", file=sys.stderr)


@contextmanager
def _demo() -> Iterator[dict[str, int]]:
    ports = {name: _free_port() for name in _PORTS}
    options = [part for name, port in ports.items() for part in (f"--{name}", str(port))]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("spandeck")), "demo", "--data-dir", folder, *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            # The first line with an address is printed when everything is ready and the samples are stored.
            for line in process.stdout:
                if str(ports["query-port"]) in line:
                    break
            yield ports
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
