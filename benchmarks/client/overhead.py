"""`python -m benchmarks.client.overhead`: what the client adds to a call, whatever the collector does.

The same program runs with a collector that is up, down (nobody listens), black-holed (accepts, never answers) and
answering 503 for ever. Figures are per call with a prompt of 1 KB, of the least disturbed of five rounds; the exit is
from the last line of the program to the end of its process. About a minute; results on stdout, as JSON with --json.
Fails where a bound is not kept.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import stack

MOST_P99_US = 1_000.0
MOST_EXIT_S = 2.5


@contextmanager
def up() -> Iterator[str]:
    """A real receiver and store."""
    with tempfile.TemporaryDirectory(prefix="spandeck-bench-") as folder, stack.running(Path(folder)) as running:
        yield running.settings.url(running.settings.http_port)


@contextmanager
def down() -> Iterator[str]:
    """A port where nobody listens."""
    (port,) = stack.free_ports(1)
    yield f"http://127.0.0.1:{port}"


@contextmanager
def black_hole() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def unavailable() -> Iterator[str]:
    """A collector that answers 503 for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep stderr for the progress."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


COLLECTORS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "up": up,
    "down": down,
    "black-holed": black_hole,
    "503": unavailable,
}


def measure(endpoint: str, calls: int) -> dict[str, Any]:
    """The figures of one run of the program, with `exit_s` in seconds."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client.overhead_program", str(calls)],
        env={**os.environ, "SPANDECK_ENDPOINT": endpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=600,
    )
    ended_at = time.time()
    figures: dict[str, Any] = json.loads(done.stdout)
    return {**figures, "exit_s": round(ended_at - figures.pop("ended_at"), 3)}


def main() -> int:
    """Measure all four, print, and say by the exit code whether the bounds are kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client.overhead", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--calls", type=int, default=2_000, help="calls of each kind")
    options = parser.parse_args()
    results = {}
    for name in track(COLLECTORS, console=Console(stderr=True), description="Collectors"):
        with COLLECTORS[name]() as endpoint:
            results[name] = measure(endpoint, options.calls)
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        _print(results)
    broken = [name for name, figures in results.items() if not _is_kept(figures)]
    if broken:
        bounds = f"p99 < {MOST_P99_US:g} us, exit < {MOST_EXIT_S:g} s"
        print(f"Bounds ({bounds}) are not kept with the collector {', '.join(broken)}.", file=sys.stderr)
    return 1 if broken else 0


def _is_kept(figures: dict[str, Any]) -> bool:
    return bool(figures["monitor_guard_cache"]["p99_us"] < MOST_P99_US and figures["exit_s"] < MOST_EXIT_S)


def _print(results: dict[str, dict[str, Any]]) -> None:
    table = Table(title=f"Added per call, microseconds; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for heading in ("collector", "what", "p50", "p99", "longest", "CPU p50", "CPU p99", "exit s", "dropped"):
        table.add_column(heading)
    for name, figures in results.items():
        for what in ("monitor_guard_cache", "agent_run"):
            dropped = str(sum(figures["dropped"].values()))
            table.add_row(name, what, *map(str, figures[what].values()), str(figures["exit_s"]), dropped)
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
