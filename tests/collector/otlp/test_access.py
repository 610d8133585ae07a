"""Who may send and who may read: tokens on every route and method, TLS, origins, and the addresses that are bound."""

import re
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from spandeck_collector.journal import JournalWriter
from spandeck_collector.receiver.intake import Intake
from spandeck_collector.receiver.otlp_grpc import OtlpGrpc
from spandeck_collector.receiver.otlp_http import OtlpHttp
from spandeck_collector.settings import Settings
from tests.collector.grpc_client import CHECK, TRACES, WATCH, Client
from tests.collector.receiver_process import Receiver, request_bytes, running
from tests.support.site import clean_environment
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import DEADLINE_S
from tests.support.web import JSON

pytestmark = pytest.mark.integration

OPEN_PATHS = {"/healthz", "/readyz"}
OPEN_METHODS = {CHECK, WATCH}
TOKENS = {"ingest_token": "ingest-1", "read_token": "read-1", "admin_token": "admin-1"}
WRONG: list[dict[str, str]] = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer ingest-"},
    {"Authorization": "Bearer ingest-12"},
    {"Authorization": "Basic ingest-1"},
    {"Authorization": "ingest-1"},
    {"Authorization": "Bearer admin-1"},
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("guarded"), **TOKENS) as receiver:
        yield receiver


async def tables(folder: Path) -> tuple[OtlpHttp, OtlpGrpc]:
    """The route tables of both servers, as the receiver makes them."""
    import asyncio  # noqa: PLC0415 - only this needs it

    journal = JournalWriter(folder, segment_bytes=1 << 20, limit_bytes=1 << 24)
    try:
        settings = Settings(data_dir=folder, ingest_token="ingest-1", read_token="read-1", admin_token="admin-1")
        intake = Intake(journal, max_body_bytes=1 << 20)
        return OtlpHttp(intake, settings), OtlpGrpc(intake, settings, asyncio.Event())
    finally:
        journal.close()


async def test_every_http_route_demands_its_token_but_health(tmp_path: Path, guarded: Receiver) -> None:
    http, _ = await tables(tmp_path)
    assert {"/v1/traces", "/v1/metrics", "/v1/logs", "/metrics"} | OPEN_PATHS == set(http.routes)
    for path in [
        *http.routes,
        "/",
        "/nowhere",
        "/v1",
        "/v1/traces/",
        "//healthz",
        "/healthz/",
        "/HEALTHZ",
        "/readyz%20",
    ]:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
            for headers in WRONG:
                status = guarded.ask(method, path, b"{}" if method == "POST" else None, headers).status
                expected = {200, 405} if path in OPEN_PATHS else {401}
                assert status in expected, (method, path, headers)


async def test_every_grpc_method_demands_its_token_but_health(tmp_path: Path, guarded: Receiver) -> None:
    _, table = await tables(tmp_path)
    client = Client(guarded)
    assert len(table.calls) == 5
    assert {method for method, call in table.calls.items() if not call.needs_token} == OPEN_METHODS
    others = {"/any.Other/Method", CHECK + "x", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}
    for method in (set(table.calls) | others) - OPEN_METHODS:
        for headers in WRONG:
            error = client.failure(method, b"", headers.get("Authorization"))
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED, (method, headers)
    assert client.call(CHECK, b"") == b"\x08\x01"
    client.channel.close()


def test_each_token_opens_its_own_doors_and_no_other(guarded: Receiver) -> None:
    statuses = {
        (path, name): guarded.ask(method, path, body, {"Authorization": f"Bearer {token}", "Content-Type": JSON}).status
        for path, method, body in (("/v1/traces", "POST", b"{}"), ("/metrics", "GET", None))
        for name, token in TOKENS.items()
    }
    assert {key for key, status in statuses.items() if status == 200} == {
        ("/v1/traces", "ingest_token"), ("/metrics", "read_token")
    }  # fmt: skip
    assert set(statuses.values()) == {200, 401}


def test_a_token_in_the_address_is_none(guarded: Receiver) -> None:
    assert guarded.ask("GET", "/metrics?token=read-1&authorization=Bearer%20read-1").status == 401


def test_no_token_is_ever_written(tmp_path: Path) -> None:
    with running(tmp_path, **TOKENS) as receiver:
        for token in TOKENS.values():
            receiver.post(b"{", JSON, Authorization=f"Bearer {token}")
            receiver.ask("GET", f"/nowhere/{token}", headers={"Authorization": token})
        assert receiver.stop() == 0
    written = (
        b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) + "".join(receiver.lines).encode()
    )
    assert not [token for token in TOKENS.values() if token.encode() in written]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_off_loopback_nothing_starts_without_a_token(tmp_path: Path, host: str) -> None:
    for given in ({}, {"ingest_token": "a"}, {"read_token": "b"}):
        told = refused(tmp_path, host=host, **given)
        assert "which others can reach" in told
        assert "TOKEN" in told


def refused(folder: Path, **settings: object) -> str:
    """What a receiver says that does not start."""
    result = subprocess.run(
        [sys.executable, "-m", "spandeck_collector.receiver"],
        env=clean_environment(**{"data_dir": folder, "http_port": 0, "grpc_port": 0} | settings),
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    return result.stderr


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """PEM files of an authority, of a certificate for this machine, and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    paths = {name: folder / f"{name}.pem" for name in ("authority", "certificate", "key", "other_key")}
    authority.cert_pem.write_to_path(str(paths["authority"]))
    issued.cert_chain_pems[0].write_to_path(str(paths["certificate"]))
    issued.private_key_pem.write_to_path(str(paths["key"]))
    authority.issue_cert("localhost").private_key_pem.write_to_path(str(paths["other_key"]))
    return paths


def test_with_tls_both_ports_speak_nothing_else(tmp_path: Path, certificate: dict[str, Path]) -> None:
    files = {"tls_certificate": str(certificate["certificate"]), "tls_key": str(certificate["key"])}
    with running(tmp_path, **files) as receiver:
        assert "https://127.0.0.1" in receiver.lines[-1]
        context = ssl.create_default_context(cafile=str(certificate["authority"]))
        address = f"https://localhost:{receiver.http_port}/v1/traces"
        asked = urllib.request.Request(address, b"{}", {"Content-Type": JSON})
        with urllib.request.urlopen(asked, context=context, timeout=20) as answer:
            assert answer.read() == b"{}"
        client = Client(receiver, certificate["authority"].read_bytes())
        assert client.call(TRACES, request_bytes()) == b""
        client.channel.close()
        plain = Client(receiver)
        assert plain.failure(TRACES, request_bytes()).code() is grpc.StatusCode.UNAVAILABLE
        plain.channel.close()
        with pytest.raises((OSError, ConnectionError)):
            receiver.post(b"{}", JSON)


def test_the_whole_stack_starts_and_sends_with_tls(tmp_path: Path, certificate: dict[str, Path]) -> None:
    files = {"tls_certificate": str(certificate["certificate"]), "tls_key": str(certificate["key"])}
    with ready_stack(tmp_path, "up", "--no-ui", **files) as stack:
        sent = stack.run("send-test")
        assert (sent.returncode, sent.stderr) == (0, "")
        assert "https://" in stack.stdout()


def test_tls_that_cannot_work_is_one_sentence(tmp_path: Path, certificate: dict[str, Path]) -> None:
    good, key = str(certificate["certificate"]), str(certificate["key"])
    for names, setting in (
        ({"tls_certificate": good}, "SPANDECK_TLS_KEY is not"),
        ({"tls_key": key}, "SPANDECK_TLS_CERTIFICATE is not"),
        ({"tls_certificate": good, "tls_key": str(tmp_path / "none")}, "cannot be read"),
        ({"tls_certificate": good, "tls_key": str(certificate["other_key"])}, "its own PEM key"),
        ({"tls_certificate": key, "tls_key": key}, "must be a PEM certificate"),
    ):
        told = refused(tmp_path, **names)
        assert setting in told
        assert len(told.splitlines()) == 1


ASKED = {"Origin": "https://app.example:8443", "Access-Control-Request-Method": "POST"}


def test_a_listed_origin_may_send_and_read_and_no_other(tmp_path: Path) -> None:
    with running(tmp_path, cors_origins="https://APP.example:8443,http://localhost:3000", ingest_token="t") as receiver:
        allowed = receiver.ask("OPTIONS", "/v1/traces", headers=ASKED | {"Access-Control-Request-Headers": "x"})
        assert (allowed.status, allowed.body) == (204, b"")
        assert allowed.headers["access-control-allow-origin"] == ASKED["Origin"]
        assert allowed.headers["access-control-allow-methods"] == "POST"
        assert "Authorization" in allowed.headers["access-control-allow-headers"]
        assert allowed.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in allowed.headers
        for token, status in (("t", 200), ("wrong", 401)):
            answer = receiver.post(b"{}", JSON, Origin=ASKED["Origin"], Authorization=f"Bearer {token}")
            assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, ASKED["Origin"])
        for origin in ("https://app.example", "http://app.example:8443", "https://app.example:8443.evil", "null", "*"):
            foreign = receiver.ask("OPTIONS", "/v1/traces", headers=ASKED | {"Origin": origin})
            assert (foreign.status, foreign.headers["access-control-allow-origin"]) == (403, None), origin


@pytest.mark.parametrize("origins", ["*", "app.example", "https://app.example/", "https://*.example", "null"])
def test_an_origin_of_the_list_is_named_whole(tmp_path: Path, origins: str) -> None:
    assert "SPANDECK_CORS_ORIGINS" in refused(tmp_path, cors_origins=origins)


def listening(process_ids: set[int]) -> set[tuple[str, int]]:
    """Address and port of each socket of these processes that listens, by the kernel's own table."""
    inodes = {
        match[1]
        for process_id in process_ids
        for link in Path(f"/proc/{process_id}/fd").iterdir()
        if (match := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())))
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and inode in inodes:
                address, port = local.split(":")
                found.add((address, int(port, 16)))
    return found


def test_one_setting_binds_every_listener(tmp_path: Path) -> None:
    """127.0.0.2 is an address of loopback that nothing takes by itself."""
    with ready_stack(tmp_path, "up", host="127.0.0.2") as stack:
        ports = {getattr(stack.settings, f"{name}_port") for name in ("http", "grpc", "query", "ui")}
        found = listening(set(stack.children().values()) | {stack.process.pid})
        mapped = "0000000000000000FFFF00000200007F"
        assert {port for _, port in found} == ports
        assert {address for address, _ in found} <= {"0200007F", mapped}


def test_the_whole_stack_listens_on_loopback_alone(stack: Stack) -> None:
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    found = listening(set(stack.children().values()))
    assert len({port for _, port in found}) == 3
    assert {address for address, _ in found} <= loopback
