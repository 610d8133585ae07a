"""Real receiver, store and dashboard processes on free ports, filled with the sample traces."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spandeck_collector.replay import replay
from spandeck_collector.sample_files import sample_folder

DEADLINE_S = 60.0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Poll until `holds` is true; fails with `what` at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"Waited {DEADLINE_S} s for {what}."
        time.sleep(0.05)


def answers(port: int, path: str) -> bool:
    """Whether a GET is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass
class Stack:
    """The ports of one set of processes, and what runs of it."""

    folder: Path
    http_port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)
    query_port: int = field(default_factory=free_port)
    ui_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """The surroundings of a process of this stack."""
        known = {key: value for key, value in os.environ.items() if not key.startswith("SPANDECK_")}
        return (
            known
            | {
                "SPANDECK_DATA_DIR": str(self.folder),
                "SPANDECK_HTTP_PORT": str(self.http_port),
                "SPANDECK_GRPC_PORT": str(self.grpc_port),
                "SPANDECK_QUERY_PORT": str(self.query_port),
                "SPANDECK_UI_PORT": str(self.ui_port),
                "SPANDECK_SUPERVISED": "1",
            }
            | more
        )

    def start(self, module: str, **more: str) -> subprocess.Popen[bytes]:
        """Start `python -m MODULE` in an empty folder; its stderr goes to a file beside the data."""
        name = module.rpartition(".")[2]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                env=self.environment(**more),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self.processes[name] = process
        return process

    def start_store(self) -> None:
        """Start the store and wait until it answers queries."""
        self.start("spandeck_collector.store")
        wait_until(lambda: answers(self.query_port, "/readyz"), "the store")

    def start_collector(self) -> None:
        """Start receiver and store and wait for both."""
        self.start("spandeck_collector.receiver")
        self.start_store()
        wait_until(lambda: answers(self.http_port, "/readyz"), "the receiver")

    def start_dashboard(self, **more: str) -> None:
        """Start the page and wait until it is served."""
        self.start("spandeck_dashboard", **more)
        wait_until(lambda: answers(self.ui_port, "/_stcore/health"), "the dashboard")

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

    def query(self, sql: str, *params: object) -> list[list[Any]]:
        """The rows of a query, as JSON gives them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.query_port, timeout=30)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        connection.request("POST", "/query", json.dumps({"sql": sql, "params": params}), headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        rows: list[list[Any]] = answer["rows"]
        return rows

    def send(self, spans: list[dict[str, Any]], service: str = "shop") -> None:
        """Send spans in OTLP/JSON and wait until they can be asked for."""
        resource = {"attributes": [attribute("service.name", service)]}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "t"}, "spans": spans}]}]}
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        connection.request("POST", "/v1/traces", json.dumps(body), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200
        connection.close()
        trace_id = spans[-1]["traceId"]
        wait_until(lambda: self.query("select count(*) from traces where trace_id = ?", trace_id)[0][0] == 1, "a trace")

    def fill(self) -> None:
        """Replay all sample traces, shifted to now, and wait until they can be asked for."""
        sent = replay([sample_folder()], endpoint=f"http://127.0.0.1:{self.http_port}").sent_span_count
        wait_until(lambda: self.query("select count(*) from spans")[0][0] >= sent, "the sample traces")


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
