"""Start, stop and sudden death of the receiver, and the exporters that people really use."""

import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from tests.support.site import clean_environment
from tests.support.waiting import DEADLINE_S
from tests.support.web import PROTOBUF

from .receiver_process import Receiver, read_all, request_bytes, running

pytestmark = pytest.mark.integration

Exporter = Callable[[Receiver], SpanExporter]


@pytest.mark.parametrize(
    "exporter",
    [
        lambda receiver: HttpExporter(receiver.url("/v1/traces")),
        lambda receiver: HttpExporter(receiver.url("/v1/traces"), compression=Compression.Gzip),
        lambda receiver: GrpcExporter(receiver.grpc_address, insecure=True),
    ],
    ids=["http", "http gzip", "grpc"],
)
def test_the_stock_python_exporters_deliver_every_span(receiver: Receiver, exporter: Exporter) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter(receiver)))
    tracer = provider.get_tracer("test")
    for number in range(300):
        with tracer.start_as_current_span(f"call {number}", attributes={"gen_ai.usage.input_tokens": number}):
            pass
    assert provider.force_flush()
    provider.shutdown()
    spans = receiver.spans()
    assert sorted(span.name for span in spans) == sorted(f"call {number}" for number in range(300))
    assert all(span.attributes[0].value.int_value == int(span.name.split()[1]) for span in spans)


class Load:
    """Connections that send spans numbered from `first`, one a request, and note what was acknowledged."""

    CONNECTIONS = 4

    def __init__(self, receiver: Receiver, first: int = 1) -> None:
        self.receiver = receiver
        self.acknowledged: list[int] = []
        self.other_statuses: set[int] = set()
        self.enough = threading.Event()
        self.threads = [
            threading.Thread(target=self._send, args=(first + number,)) for number in range(self.CONNECTIONS)
        ]
        for thread in self.threads:
            thread.start()

    def _send(self, number: int) -> None:
        connection = self.receiver.connect()
        try:
            while self._send_one(connection, number):
                number += self.CONNECTIONS
        except (OSError, HTTPException):
            pass  # the receiver is gone, as the test wants
        finally:
            connection.close()

    def _send_one(self, connection: HTTPConnection, number: int) -> bool:
        body = request_bytes(1, number, "x" * random.Random(number).randrange(20_000))
        connection.request("POST", "/v1/traces", body, {"Content-Type": PROTOBUF})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            self.other_statuses.add(response.status)
            return False
        self.acknowledged.append(number)
        if len(self.acknowledged) > 150:
            self.enough.set()
        return True

    def join(self) -> None:
        for thread in self.threads:
            thread.join(DEADLINE_S)


def test_a_kill_under_load_loses_nothing_that_was_acknowledged_and_keeps_nothing_twice(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    for first in (1, 1_000_001, 2_000_001):
        with running(tmp_path, journal_segment_bytes=1 << 20) as receiver:
            load = Load(receiver, first)
            assert load.enough.wait(DEADLINE_S)
            receiver.stop(signal.SIGKILL)
            load.join()
        acknowledged += load.acknowledged
    kept = [int.from_bytes(span.span_id, "big") for span in receiver.spans()]
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))


def test_sigterm_under_load_keeps_what_was_acknowledged_and_exits_with_0(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        load = Load(receiver)
        assert load.enough.wait(DEADLINE_S)
        assert receiver.stop() == 0
        load.join()
        kept = {int.from_bytes(span.span_id, "big") for span in receiver.spans()}
    assert set(load.acknowledged) <= kept
    assert load.other_statuses <= {503}
    assert receiver.lines[-1].startswith("Receiver ready")


def test_refusals_counted_just_before_the_stop_are_journaled(receiver: Receiver) -> None:
    for _ in range(5):
        receiver.post(b"\xff")
    assert receiver.stop() == 0
    assert sum(receiver.refusals().values()) == 5


def test_a_supervised_receiver_stops_when_its_input_ends(tmp_path: Path) -> None:
    with running(tmp_path, supervised=1) as receiver:
        assert receiver.post(request_bytes()).status == 200
        assert receiver.process.stdin
        receiver.process.stdin.close()
        assert receiver.wait() == 0
    assert len(list(read_all(tmp_path))) == 1


def test_a_receiver_alone_does_not_read_its_input(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        assert receiver.process.stdin
        receiver.process.stdin.close()
        assert receiver.post(request_bytes()).status == 200


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _fail(directory: Path, **settings: str | int) -> str:
    """What a receiver that must not start says; it exits with 2 and one line."""
    environment = clean_environment(data_dir=directory, http_port=0, grpc_port=0)
    environment |= {
        name if name.isupper() else f"SPANDECK_{name.upper()}": str(value) for name, value in settings.items()
    }
    result = subprocess.run(
        [sys.executable, "-m", "spandeck_collector.receiver"],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("name", ["http_port", "grpc_port"])
def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, taken_port: int, name: str) -> None:
    setting = f"SPANDECK_{name.upper()}"
    assert _fail(tmp_path, **{name: taken_port}) == (
        f"Port {taken_port} ({setting}) on 127.0.0.1 is in use: stop the other program or set {setting} to a free port."
    )
    assert not (tmp_path / "journal").exists()


def test_settings_that_cannot_work_are_one_sentence(tmp_path: Path) -> None:
    assert "SPANDECK_HTTP_PORT" in _fail(tmp_path, http_port="many")
    assert "SPANDECK_INGEST_TOKEN" in _fail(tmp_path, host="0.0.0.0")
    assert "SPANDECK_HOST" in _fail(tmp_path, host="192.0.2.1", ingest_token="a", read_token="b")
    (tmp_path / "file").write_text("")
    assert "SPANDECK_DATA_DIR" in _fail(tmp_path, data_dir=str(tmp_path / "file"))
    assert "python implementation" in _fail(tmp_path, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")


def test_a_second_receiver_on_the_same_data_is_refused(receiver: Receiver) -> None:
    assert "Another receiver writes to" in _fail(receiver.directory)


def test_everything_listens_on_loopback_only(receiver: Receiver) -> None:
    """By the kernel's socket table; state 0A is LISTEN, addresses are hex in host order."""
    ports = {f"{port:04X}" for port in (receiver.http_port, receiver.grpc_port)}
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{receiver.process.pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, port = local.split(":")
            if state == "0A" and port in ports:
                assert address in loopback, line
                found.add(port)
    assert found == ports


def test_neither_receiver_nor_journal_loads_the_database() -> None:
    code = (
        "import sys, spandeck_collector.receiver.server, spandeck_collector.journal;"
        "sys.exit(', '.join({'duckdb', 'pyarrow', 'pandas'} & set(sys.modules)) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
