"""A real receiver process on free ports, and plain clients for it."""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from spandeck_collector.journal import JournalReader, Position, Record, Signal
from tests.support import web
from tests.support.site import clean_environment
from tests.support.waiting import DEADLINE_S
from tests.support.web import PROTOBUF, Answer

_READY = re.compile(r"https?://([\d.]+):(\d+).*OTLP/gRPC on ([\d.]+):(\d+)")


class Receiver:
    """A running receiver; `lines` is what it wrote to stderr so far."""

    command = (sys.executable, "-m", "spandeck_collector.receiver")

    def __init__(self, directory: Path, **settings: str | int) -> None:
        self.directory = directory
        ports = {"http_port": 0, "grpc_port": 0}
        self.process = self._start(clean_environment(**{"data_dir": directory} | ports | settings))
        self.lines = self._read_until_ready()
        found = _READY.search(self.lines[-1])
        assert found, self.lines
        self.host = found[1]
        self.http_port, self.grpc_port = int(found[2]), int(found[4])

    def _start(self, environment: dict[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command,
            env=environment,
            cwd=self.directory,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _read_until_ready(self) -> list[str]:
        assert self.process.stderr
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if line.startswith("Receiver ready"):
                break
        return lines

    @property
    def grpc_address(self) -> str:
        return f"{self.host}:{self.grpc_port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}:{self.http_port}{path}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.http_port, timeout=DEADLINE_S)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        return web.ask(self.http_port, path, body, headers, method)

    def post(self, body: bytes, content_type: str = PROTOBUF, path: str = "/v1/traces", **more: str) -> Answer:
        return web.post(self.http_port, body, content_type, path, **more)

    def records(self) -> list[Record]:
        """Everything in the journal."""
        return list(read_all(self.directory))

    def spans(self) -> list[Span]:
        """Every span in the journal."""
        return [span for record in self.records() if record.signal == Signal.TRACES for span in _spans(record)]

    def refusals(self) -> dict[tuple[str, str], int]:
        """Refused counts by signal and reason, as journaled so far."""
        counts: dict[tuple[str, str], int] = {}
        for record in self.records():
            if record.signal == Signal.REFUSALS:
                for row in json.loads(record.body)["refusals"]:
                    key = (row["signal"], row["reason"])
                    counts[key] = counts.get(key, 0) + row["count"]
        return counts

    def metric(self, name: str, **labels: str) -> float:
        """A value in what `GET /metrics` says; 0 where there is none."""
        text = self.ask("GET", "/metrics").body.decode()
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return sum(
            sample.value
            for sample in samples
            if sample.name == f"spandeck_receiver_{name}" and labels.items() <= sample.labels.items()
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(DEADLINE_S)
        assert self.process.stderr
        assert self.process.stdin
        self.lines += self.process.stderr.readlines()
        self.process.stderr.close()
        self.process.stdin.close()
        return code


def read_all(directory: Path) -> Iterator[Record]:
    """All records of the journal in a data directory."""
    reader = JournalReader(directory / "journal", Position(0, 0))
    try:
        while records := reader.read(1 << 20):
            yield from records
    finally:
        reader.close()


def _spans(record: Record) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(record.body).resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


@contextmanager
def running(directory: Path, **settings: str | int) -> Iterator[Receiver]:
    """A receiver that is stopped at the end, however that comes."""
    receiver = Receiver(directory, **settings)
    try:
        yield receiver
    finally:
        if receiver.process.poll() is None:
            receiver.stop()


def request(count: int = 1, first: int = 1, name: str = "chat") -> ExportTraceServiceRequest:
    """An export request of `count` valid spans, numbered from `first` in their span ids."""
    message = ExportTraceServiceRequest()
    spans = message.resource_spans.add().scope_spans.add().spans
    for number in range(first, first + count):
        spans.add(
            trace_id=(7).to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=1_790_000_000_000_000_000,
            end_time_unix_nano=1_790_000_001_000_000_000,
        )
    return message


def request_bytes(count: int = 1, first: int = 1, name: str = "chat") -> bytes:
    return request(count, first, name).SerializeToString()
