"""A real store process on a free port, what to write into its journal, and a plain client for its queries."""

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spandeck_collector.journal import JournalWriter, Signal
from tests.support.site import clean_environment, free_ports
from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import JSON, Answer, ask, is_ready

START_NS = 1_777_896_000_000_000_000
ARROW = "application/vnd.apache.arrow.stream"


def trace_request(numbers: Iterable[int], service: str = "shop", **attributes: int | str) -> bytes:
    """An export of one chat span a number; the number is trace id, span id and start in milliseconds."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name", value=AnyValue(string_value=service))
    scope = resource_spans.scope_spans.add()
    for number in numbers:
        start = START_NS + number * 1_000_000
        scope.spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            name="chat",
            start_time_unix_nano=start,
            end_time_unix_nano=start + 250_000_000,
            attributes=[
                _key_value(key, value) for key, value in ({"gen_ai.operation.name": "chat"} | attributes).items()
            ],
        )
    return request.SerializeToString()


def _key_value(key: str, value: int | str) -> KeyValue:
    return KeyValue(
        key=key, value=AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)
    )


@contextmanager
def journal(directory: Path, segment_bytes: int = 1 << 20) -> Iterator[JournalWriter]:
    """The writer that a receiver would have."""
    writer = JournalWriter(directory / "journal", segment_bytes=segment_bytes, limit_bytes=1 << 30)
    yield writer
    writer.close(DEADLINE_S)


def append(writer: JournalWriter, body: bytes, signal_: Signal = Signal.TRACES) -> None:
    """Append one record and wait until it is on disk, as a receiver does before it answers."""
    writer.submit(signal_, body, time.time_ns()).result(DEADLINE_S)


class Store:
    """A running store process of `directory`."""

    def __init__(self, directory: Path, **settings: str | int | float) -> None:
        self.directory = directory
        environment = free_ports() | clean_environment(data_dir=directory, **settings)
        self.port = int(environment["SPANDECK_QUERY_PORT"])
        with (directory / "store.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "spandeck_collector.store"],
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        eventually(self._is_ready)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log()
        return is_ready(self.port)

    def log(self) -> str:
        return (self.directory / "store.log").read_text()

    def rows(self, sql: str, params: list[Any] | None = None) -> list[list[Any]]:
        """The rows of a query that must succeed."""
        status, _, body = query(self.port, sql, params)
        assert status == 200, body
        rows: list[list[Any]] = json.loads(body)["rows"]
        return rows

    def refusal(self, sql: str, params: list[Any] | None = None) -> tuple[int, str]:
        """Status and sentence of a query that must fail."""
        status, headers, body = query(self.port, sql, params)
        assert status >= 400, body
        assert headers["Content-Type"] == JSON
        return status, json.loads(body)["error"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@contextmanager
def running_store(directory: Path, **settings: str | int | float) -> Iterator[Store]:
    """A store that answers queries, and is killed at the end if it still runs."""
    store = Store(directory, **settings)
    try:
        store.wait_until_ready()
        yield store
    finally:
        store.kill()


def query(
    port: int, sql: str, params: list[Any] | None = None, accept: str = JSON, headers: Mapping[str, str] | None = None
) -> Answer:
    """`POST /query`."""
    body = json.dumps({"sql": sql} | ({} if params is None else {"params": params})).encode()
    return ask(port, "/query", body, {"Content-Type": JSON, "Accept": accept} | dict(headers or {}))


def arrow_table(body: bytes) -> pa.Table:
    """An answer in Arrow form."""
    return pa.ipc.open_stream(io.BytesIO(body)).read_all()
