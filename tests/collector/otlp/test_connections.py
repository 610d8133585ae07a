"""Connections that are slow, endless, cut or made to mislead: each is ended, and the next request is served."""

import gzip
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from tests.collector.grpc_client import TRACES, Client
from tests.collector.receiver_process import Receiver, request_bytes, running
from tests.support.packing import CODINGS
from tests.support.waiting import eventually
from tests.support.web import PROTOBUF

from .messages import connect, field, head, json_span, raw, span_request

pytestmark = pytest.mark.integration

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver that waits half a second for a head, a body or the next request."""
    folder = tmp_path_factory.mktemp("hasty")
    with running(folder, request_timeout_s="0.5", idle_timeout_s="0.5") as receiver:
        yield receiver


def rest(connection: socket.socket) -> bytes:
    """What still comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("start", [b"", b"POST /v1/tr", b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(hasty: Receiver, start: bytes) -> None:
    with connect(hasty) as connection:
        connection.sendall(start)
        assert rest(connection) == b""
    assert hasty.post(request_bytes()).status == 200


@pytest.mark.parametrize("more", ["content-length: 100", "transfer-encoding: chunked"])
def test_a_body_that_does_not_come_is_408_and_ends_the_connection(hasty: Receiver, more: str) -> None:
    with connect(hasty) as connection:
        connection.sendall(head(more, content_type=PROTOBUF) + b"5\r\nabc")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer


def test_a_message_that_does_not_come_is_deadline_exceeded(hasty: Receiver) -> None:
    client, release = Client(hasty), threading.Event()

    def never() -> Iterator[bytes]:
        release.wait(20)
        yield b""

    with pytest.raises(grpc.RpcError) as raised:
        client.channel.stream_unary(TRACES)(never(), timeout=20)
    release.set()
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    client.channel.close()


def test_a_connection_without_a_further_request_is_closed(hasty: Receiver) -> None:
    with connect(hasty) as connection:
        connection.sendall(head("content-length: 2") + b"{}")
        assert rest(connection).startswith(b"HTTP/1.1 200 OK")


def test_a_refused_body_may_not_go_on_for_ever(hasty: Receiver) -> None:
    with connect(hasty) as connection:
        connection.sendall(head("transfer-encoding: chunked", content_type="text/plain"))
        seen = b""

        def is_closed() -> bool:
            nonlocal seen
            try:
                connection.sendall(b"1\r\nx\r\n")
                connection.settimeout(0.01)
                seen += connection.recv(65536)
            except TimeoutError:
                return False
            except OSError:
                return True
            return False

        eventually(is_closed)
    assert seen.startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize(
    "lines",
    [
        ["content-length: 2", "transfer-encoding: chunked"],
        ["content-length: 2", "content-length: 3"],
        ["content-length: -2"],
        ["content-length: 2 2"],
        ["content-length: +2"],
        ["content-length: 0x2"],
        ["transfer-encoding: xchunked", "content-length: 2"],
        ["transfer-encoding: chunked, identity"],
        ["transfer-encoding: chunked", "transfer-encoding: chunked"],
        ["content-length: 2", " folded"],
        ["no colon"],
        ["bad name : x", "content-length: 2"],
        ["x: a\x00b", "content-length: 2"],
    ],
)
def test_what_could_be_smuggled_never_becomes_a_second_request(shared_receiver: Receiver, lines: list[str]) -> None:
    """Whatever two programs might read differently is refused, and what follows on the connection is not read."""
    second = head("content-length: 2", "connection: close", path="/smuggled") + b"{}"
    answer = raw(shared_receiver, head(*lines) + b"0\r\n\r\n" + second)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1


@pytest.mark.parametrize("lines", [[f"x: {'a' * 70_000}"], [f"x{number}: {'a' * 100}" for number in range(800)]])
def test_a_head_has_a_limit(shared_receiver: Receiver, lines: list[str]) -> None:
    with connect(shared_receiver) as connection:
        connection.sendall(head(*lines)[:-2])
        assert rest(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("endless", [b"x: " + b"y" * 60_000, b"name: value\r\n" * 5_000, b"name: value\r\n"])
def test_what_follows_a_chunked_body_has_a_limit(shared_receiver: Receiver, endless: bytes) -> None:
    """Trailers without end would be kept in memory."""
    connection = connect(shared_receiver)
    connection.sendall(head("transfer-encoding: chunked") + b"2\r\n{}\r\n0\r\n")
    with connection, pytest.raises(OSError, match=r"reset|[Bb]roken|abort"):
        _send_for_ever(connection, endless)


def _send_for_ever(connection: socket.socket, data: bytes) -> None:
    for _ in range(100_000):
        connection.sendall(data)


def test_a_trailer_changes_nothing(receiver: Receiver) -> None:
    body = json_span()
    chunked = b"%x\r\n%s\r\n0\r\ncontent-encoding: gzip\r\nhost: evil.example\r\n\r\n" % (len(body), body)
    answer = raw(receiver, head("transfer-encoding: chunked", "connection: close") + chunked)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert len(receiver.spans()) == 1


def test_connections_reset_in_their_bodies_leave_nothing_behind(receiver: Receiver) -> None:
    for _ in range(300):
        with connect(receiver) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(head("content-length: 100000") + b"x" * 5_000)
    eventually(lambda: receiver.metric("held_bytes") == 0)
    open_files = Path(f"/proc/{receiver.process.pid}/fd")
    eventually(lambda: len(list(open_files.iterdir())) < 60)
    assert receiver.post(request_bytes()).status == 200
    assert receiver.stop() == 0
    assert receiver.lines[-1].startswith("Receiver ready")


def test_many_slow_bodies_hold_up_no_other_request(shared_receiver: Receiver) -> None:
    slow = [connect(shared_receiver) for _ in range(100)]
    for connection in slow:
        connection.sendall(head("content-length: 100000") + b"x")
    for number in range(1, 20):
        assert shared_receiver.post(request_bytes(3, number)).status == 200
    for connection in slow:
        connection.close()


def _mib(receiver: Receiver, key: str) -> float:
    status = Path(f"/proc/{receiver.process.pid}/status").read_text()
    found = re.search(rf"{key}:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


BOMBS: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "gzip of zeros": ("gzip", lambda: gzip.compress(bytes(200 * MEBIBYTE)), 413),
    "deflate of zeros": ("deflate", lambda: CODINGS["deflate"](bytes(200 * MEBIBYTE)), 413),
    "zstd of zeros": ("zstd", lambda: CODINGS["zstd"](bytes(200 * MEBIBYTE)), 413),
    "empty events": ("gzip", lambda: gzip.compress(span_request(b"\x5a\x00" * 15_000_000), 1), 400),
    "empty values": (
        "gzip",
        lambda: gzip.compress(span_request(field(9, field(2, field(5, b"\n\0" * 15_000_000)))), 1),
        400,
    ),
}


LONG = ("deflate of zeros", "empty values")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.chaos] * (name in LONG)) for name in BOMBS])
def test_bombs_are_refused_within_200_mib(tmp_path: Path, name: str) -> None:
    encoding, make, status = BOMBS[name]
    body = make()
    with running(tmp_path) as receiver:
        assert receiver.post(request_bytes()).status == 200
        idle = _mib(receiver, "VmRSS")
        statuses: list[int] = []

        def send() -> None:
            statuses.append(receiver.post(body, Content_Encoding=encoding).status)

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [status] * 2
        assert _mib(receiver, "VmHWM") - idle < 200
        assert receiver.post(request_bytes()).status == 200
