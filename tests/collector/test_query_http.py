"""The door of the query service: who may ask, and in what form."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spandeck_collector.settings import Settings
from spandeck_collector.store.command_desk import CommandDesk
from spandeck_collector.store.database import lock, open_database
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.metrics import Metrics
from spandeck_collector.store.query_runner import QueryRunner
from spandeck_collector.store.query_service import QueryServer
from tests.support.waiting import DEADLINE_S
from tests.support.web import JSON, ask

from .store_fixtures import query

pytestmark = pytest.mark.integration

TOKEN = "s3cret"
ONE = json.dumps({"sql": "select 1"}).encode()
HEADERS = {"Content-Type": JSON, "Accept": JSON, "Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A query service that demands a token and knows one more host name."""
    directory = tmp_path_factory.mktemp("door")
    settings = Settings(data_dir=directory, query_port=0, read_token=TOKEN, allowed_hosts=("Dash.Example",))
    yield from _serve(settings, directory)


@pytest.fixture(scope="module")
def open_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A query service without a token."""
    directory = tmp_path_factory.mktemp("open-door")
    yield from _serve(Settings(data_dir=directory, query_port=0), directory)


def _serve(settings: Settings, directory: Path) -> Iterator[int]:
    connection = open_database(directory / "spandeck.duckdb", "300MB")
    desk = CommandDesk(Ingest(connection, directory), directory)
    lock(connection, directory)
    server = QueryServer(settings, QueryRunner(connection, settings), desk, lambda: True, Metrics())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(DEADLINE_S)
    connection.close()


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Basic s3cret", "Bearer s3cret ", "Bearer \xe9"])
def test_without_the_token_there_is_no_answer(header: str, port: int) -> None:
    headers = {"Content-Type": JSON} | ({"Authorization": header} if header else {})
    status, _, body = ask(port, "/query", ONE, headers)
    assert status == 401
    assert "SPANDECK_READ_TOKEN" in json.loads(body)["error"]


def test_with_the_token_there_is(port: int) -> None:
    assert query(port, "select 1", headers=HEADERS)[0] == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_token_and_shows_no_data(path: str, port: int) -> None:
    status, _, body = ask(port, path, method="GET")
    assert status == 200
    assert set(json.loads(body)) == {"status"}


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Host", "localhost:{port}", 200),
        ("Host", "LOCALHOST", 200),
        ("Host", "127.0.0.1:{port}", 200),
        ("Host", "[::1]:{port}", 200),
        ("Host", "dash.example", 200),
        ("Host", "evil.example", 403),
        ("Host", "localhost.evil.example", 403),
        ("Host", "evil@localhost.x", 403),
        ("Host", "[::1", 403),
        ("Host", "127.0.0.1.nip.io:{port}", 403),
        ("Host", "", 403),
        ("Origin", "http://localhost:8501", 200),
        ("Origin", "https://DASH.example", 200),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Origin", "http://[", 403),
        ("Origin", "file://", 403),
    ],
)
def test_foreign_hosts_and_origins_are_refused(name: str, value: str, status: int, port: int) -> None:
    assert ask(port, "/query", ONE, HEADERS | {name: value.format(port=port)})[0] == status


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_only_json_is_read(content_type: str, open_port: int) -> None:
    """A form of a foreign page can send these types without asking first."""
    status, _, body = ask(open_port, "/query", ONE, {"Content-Type": content_type})
    assert (status, "application/json" in json.loads(body)["error"]) == (415, True)


def test_a_charset_does_no_harm(open_port: int) -> None:
    assert ask(open_port, "/query", ONE, {"Content-Type": "application/json; charset=utf-8"})[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"select 1"',
        b"null",
        b"{}",
        b'{"sql": 1}',
        b'{"sql": null}',
        b'{"sql": "select 1", "params": {"a": 1}}',
        b'{"sql": "select 1", "params": "x"}',
        b'{"sql": "select ?", "params": ["\\ud800"]}',
        b'{"sql": "select \'\\ud800\'"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"sql": "select ?", "params": [' + b"9" * 60 + b"]}",
        b'{"sql": "select ?", "params": [1, 2]}',
    ],
    ids=lambda body: str(body[:40]),
)
def test_a_body_that_is_no_query_is_400(body: bytes, open_port: int) -> None:
    status, _, answer = ask(open_port, "/query", body, {"Content-Type": JSON})
    assert status == 400
    assert json.loads(answer)["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/query", 405),
        ("GET", "//[", 404),
        ("POST", "/", 404),
        ("POST", "/query/", 404),
        ("POST", "/command/x", 404),
        ("PUT", "/query", 501),
        ("DELETE", "/query", 501),
        ("OPTIONS", "/query", 501),
    ],
)
def test_other_paths_and_methods_are_refused_in_json(method: str, path: str, status: int, open_port: int) -> None:
    found, headers, body = ask(open_port, path, ONE if method == "POST" else None, {"Content-Type": JSON}, method)
    assert (found, headers["Content-Type"]) == (status, JSON)
    assert json.loads(body)["error"]
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("length", ["-1", "2000000", "x", "\xb2", "9" * 5_000, ""])
def test_a_body_without_a_proper_length_is_413(length: str, open_port: int) -> None:
    answer = exchange(
        open_port, f"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


def test_chunks_are_413(open_port: int) -> None:
    head = "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(open_port, head.encode() + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


SMUGGLED = (
    b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    % (
        len(ONE),
        ONE,
    )
)


@pytest.mark.parametrize(
    "head",
    [
        "POST /query HTTP/1.1\r\nHost: evil.example\r\nContent-Type: text/plain",
        "POST /query HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Type: text/plain",
        "POST /nowhere HTTP/1.1\r\nHost: localhost",
        "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain",
        "GET /healthz HTTP/1.1\r\nHost: evil.example",
        "GET /query HTTP/1.1\r\nHost: evil.example",
        "PUT /query HTTP/1.1\r\nHost: evil.example",
    ],
)
def test_a_body_is_never_taken_for_the_next_request(head: str, open_port: int) -> None:
    """Else a foreign page could put a request with a Host of its choice into the body of one that is refused."""
    answer = exchange(open_port, f"{head}\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n".encode() + SMUGGLED)
    assert answer.count(b"HTTP/1.1 ") == 1


def exchange(port: int, request: bytes) -> bytes:
    """Send bytes, say that no more come, and read to the end."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return answer


def test_a_connection_serves_many_queries_also_after_refusals(open_port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", open_port, timeout=DEADLINE_S)
    statuses = []
    for sql in ("select 1", "from store.spans", "selec", "select 2"):
        connection.request("POST", "/query", json.dumps({"sql": sql}), {"Content-Type": JSON})
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    first_socket = connection.sock
    connection.request("POST", "/query", ONE, {"Content-Type": "text/plain"})
    statuses.append(connection.getresponse().status)
    assert connection.sock is first_socket
    connection.close()
    assert statuses == [200, 403, 400, 200, 415]


@pytest.mark.parametrize(("error", "is_told"), [(ConnectionResetError(), False), (ValueError("odd"), True)])
def test_a_caller_that_went_away_is_not_logged_as_an_error(
    error: Exception, is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    server = QueryServer.__new__(QueryServer)
    try:
        raise error
    except (ConnectionError, ValueError):
        server.handle_error(None, ("127.0.0.1", 1))
    assert ("Traceback" in capsys.readouterr().err) == is_told
