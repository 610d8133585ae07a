"""A real HTTP server that takes alerts, fails, dawdles or refuses, as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Sink(ThreadingHTTPServer):
    """`taken` are the JSON bodies that were answered with 200; `statuses` are used up before, `delay_s` always."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[dict[str, Any]] = []
        self.asked_count = 0
        self.statuses: list[int] = []
        self.delay_s = 0.0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """As apprise reads it."""
        return f"json://127.0.0.1:{self.server_address[1]}/hook"

    def bodies(self) -> list[str]:
        """The texts that were taken."""
        with self.lock:
            return [each["message"] for each in self.taken]


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked_count += 1
            status = self.server.statuses.pop(0) if self.server.statuses else 200
        time.sleep(self.server.delay_s)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        self.send_header("Content-Length", "0")
        self.end_headers()
        if status == 200:
            with self.server.lock:
                self.server.taken.append(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def running_sink() -> Iterator[Sink]:
    """A sink that ends with the block."""
    sink = Sink()
    thread = threading.Thread(target=sink.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.shutdown()
        sink.server_close()
        thread.join()
