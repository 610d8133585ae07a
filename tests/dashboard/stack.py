"""Real receiver, store and dashboard processes on free ports, filled with the sample traces."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spandeck_collector.replay import replay
from spandeck_collector.sample_files import sample_folder
from tests.support.site import Site
from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import JSON, is_ready


class Stack(Site):
    """Processes that the test itself starts and ends, one by one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, module: str, **more: str) -> subprocess.Popen[bytes]:
        """Start `python -m MODULE` as a supervisor does; `more` is added to its environment."""
        name = module.rpartition(".")[2]
        command = (sys.executable, "-m", module)
        self.processes[name] = self.launch(name, *command, stdin=subprocess.PIPE, SPANDECK_SUPERVISED="1", **more)
        return self.processes[name]

    def start_store(self) -> None:
        """Start the store and wait until it answers queries."""
        self.start("spandeck_collector.store")
        eventually(lambda: is_ready(self.settings.query_port), "the store")

    def start_collector(self) -> None:
        """Start receiver and store and wait for both."""
        self.start("spandeck_collector.receiver")
        self.start_store()
        eventually(lambda: is_ready(self.settings.http_port), "the receiver")

    def start_dashboard(self, **more: str) -> None:
        """Start the page and wait until it is served."""
        self.start("spandeck_dashboard", **more)
        eventually(lambda: is_ready(self.settings.ui_port, "/_stcore/health"), "the dashboard")

    def stop(self, name: str) -> int:
        """End a process as its supervisor would: close its stdin; returns the exit code."""
        process = self.processes.pop(name)
        assert process.stdin
        process.stdin.close()
        try:
            return process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def stop_all(self) -> None:
        """End whatever runs."""
        for name in list(self.processes):
            self.stop(name)

    def send(self, spans: list[dict[str, Any]], service: str = "shop") -> None:
        """Send spans in OTLP/JSON and wait until they can be asked for."""
        resource = {"attributes": [attribute("service.name", service)]}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "t"}, "spans": spans}]}]}
        assert self.post(json.dumps(body).encode(), JSON).status == 200
        trace_id = spans[-1]["traceId"]
        eventually(lambda: self.rows("select count(*) from traces where trace_id = ?", trace_id)[0][0] == 1, "a trace")

    def fill(self) -> None:
        """Replay all sample traces, shifted to now, and wait until they can be asked for."""
        sent = replay([sample_folder()], endpoint=self.receiver_url).sent_span_count
        eventually(lambda: self.span_count() >= sent, "the sample traces")


def attribute(name: str, value: str | int | float | bool) -> dict[str, Any]:
    """One attribute in OTLP/JSON."""
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return {"key": name, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}


def now_ns(ago_s: float = 1) -> int:
    """A moment that long ago, in Unix nanoseconds."""
    return time.time_ns() - int(ago_s * 1e9)


def plain_span(trace: str, span: str, **more: Any) -> dict[str, Any]:
    """A server span without any GenAI attribute, `ago_s` ago; the rest of `more` is set on it."""
    start = now_ns(more.pop("ago_s", 1))
    return {
        "traceId": trace,
        "spanId": span,
        "name": "GET /cart",
        "kind": 2,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 40_000_000),
        **more,
    }


@contextmanager
def running(folder: Path, *, filled: bool) -> Iterator[Stack]:
    """Receiver and store in an empty folder; everything is ended afterwards."""
    stack = Stack(folder)
    try:
        stack.start_collector()
        if filled:
            stack.fill()
        yield stack
    finally:
        stack.stop_all()
