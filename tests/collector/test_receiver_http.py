"""OTLP/HTTP over real sockets: what is taken, what is refused, and in which words."""

import gzip
import json
import random
import socket
import zlib
from pathlib import Path

import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spandeck_collector.journal import Signal
from tests.support.waiting import eventually
from tests.support.web import JSON, PROTOBUF

from .receiver_process import Receiver, request, request_bytes, running

pytestmark = pytest.mark.integration

MEBIBYTE = 1 << 20


def test_a_protobuf_request_is_journaled_byte_for_byte_and_answered_with_zero_bytes(receiver: Receiver) -> None:
    answer = receiver.post(request_bytes(3))
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, PROTOBUF, b"")
    assert [(record.signal, record.body) for record in receiver.records()] == [(Signal.TRACES, request_bytes(3))]


def test_a_json_request_is_journaled_as_protobuf_and_answered_in_json(receiver: Receiver) -> None:
    span = {"traceId": "AB" * 16, "spanId": "cd" * 8, "name": "chat", "startTimeUnixNano": "5", "kind": 3}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    answer = receiver.post(json.dumps(body).encode(), "Application/JSON; charset=utf-8")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, JSON, b"{}")
    (stored,) = receiver.spans()
    assert (stored.trace_id, stored.span_id, stored.name) == (b"\xab" * 16, b"\xcd" * 8, "chat")
    assert (stored.start_time_unix_nano, stored.kind) == (5, 3)


def test_metrics_and_logs_are_taken_on_their_paths(receiver: Receiver) -> None:
    metrics = ExportMetricsServiceRequest()
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="tokens")
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    assert receiver.post(metrics.SerializeToString(), path="/v1/metrics").status == 200
    assert receiver.post(logs.SerializeToString(), path="/v1/logs").status == 200
    assert [record.signal for record in receiver.records()] == [Signal.METRICS, Signal.LOGS]


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("GZIP", lambda body: gzip.compress(body[:7]) + gzip.compress(body[7:])),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
    ],
    ids=["gzip", "two members", "deflate", "bare deflate", "identity"],
)
def test_compressed_bodies_are_taken(receiver: Receiver, encoding: str, compress) -> None:  # type: ignore[no-untyped-def]
    assert receiver.post(compress(request_bytes(40)), Content_Encoding=encoding).status == 200
    assert receiver.records()[0].body == request_bytes(40)


def test_empty_requests_succeed_and_are_not_journaled(receiver: Receiver) -> None:
    assert receiver.post(b"").body == b""
    assert receiver.post(b"{}", JSON).body == b"{}"
    assert receiver.post(b'{"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}', JSON).status == 200
    assert receiver.records() == []


def test_spans_with_wrong_ids_are_left_out_and_counted(receiver: Receiver) -> None:
    message = request(6)
    spans = message.resource_spans[0].scope_spans[0].spans
    spans[0].trace_id = bytes(16)
    spans[1].trace_id = b"short"
    spans[2].span_id = bytes(8)
    spans[3].span_id = b"much too long"
    answer = receiver.post(message.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_spans) == (200, 4)
    assert partial.error_message.startswith("4 of 6 spans were refused: a trace_id must be 16 bytes")
    assert [int.from_bytes(span.span_id, "big") for span in receiver.spans()] == [5, 6]
    eventually(lambda: sum(receiver.refusals().values()) == 4)


def test_a_request_of_wrong_ids_only_is_answered_but_not_journaled(receiver: Receiver) -> None:
    span = {"traceId": "not hex", "spanId": "cd" * 8}
    answer = receiver.post(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span, span]}]}]}).encode(), JSON)
    partial = json.loads(answer.body)["partialSuccess"]
    assert (answer.status, partial["rejectedSpans"]) == (200, "2")
    assert "hex digits" in partial["errorMessage"]
    assert receiver.spans() == []


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status"),
    [
        (b"\xff\xff\xff", PROTOBUF, {}, 400),
        (b"\x0a\x05ab", PROTOBUF, {}, 400),
        (b"{", JSON, {}, 400),
        (b'{"resourceSpans": 5}', JSON, {}, 400),
        (b"\xff{}", JSON, {}, 400),
        (b"[" * 100_000, JSON, {}, 400),
        (b"no gzip", PROTOBUF, {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(request_bytes(), mtime=0)[:-9], PROTOBUF, {"Content_Encoding": "gzip"}, 400),
        (b"", JSON, {"Content_Encoding": "deflate"}, 400),
        (b"x", PROTOBUF, {"Content_Encoding": "br"}, 415),
        (b"x", JSON, {"Content_Encoding": "gzip, gzip"}, 415),
        (b"{}", "text/plain", {}, 415),
        (b"{}", "", {}, 415),
        (b"{}", "application/jsonp", {}, 415),
        (b"{}", JSON, {"Host": "evil.example:4318"}, 403),
        (b"{}", JSON, {"Origin": "https://evil.example"}, 403),
        (b"{}", JSON, {"Origin": "null"}, 403),
        (b"{}", JSON, {"Host": "localhost.evil.example"}, 403),
    ],
)
def test_every_refusal_has_its_status_and_a_status_body_in_the_requests_encoding(
    shared_receiver: Receiver, body: bytes, content_type: str, headers: dict[str, str], status: int
) -> None:
    answer = shared_receiver.post(body, content_type, **headers)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == (PROTOBUF if content_type == PROTOBUF else JSON)
    assert answer.error().message.endswith(".")
    assert "retry-after" not in answer.headers
    assert shared_receiver.post(request_bytes()).status == 200


def test_bad_data_carries_a_bad_request_and_names_no_content(shared_receiver: Receiver) -> None:
    answer = shared_receiver.post(b'{"resourceSpans": "secret-value"}', JSON)
    details = BadRequest()
    assert answer.error().details[0].Unpack(details)
    assert details.field_violations[0].field == "body"
    assert b"resourceSpans must be an array" in answer.body
    assert b"secret-value" not in answer.body


def test_a_foreign_host_is_told_the_setting(shared_receiver: Receiver) -> None:
    answer = shared_receiver.post(b"{}", JSON, Host="spandeck:4318")
    assert "SPANDECK_ALLOWED_HOSTS" in answer.error().message


def test_allowed_hosts_and_every_loopback_name_pass(tmp_path: Path) -> None:
    with running(tmp_path, allowed_hosts="spandeck,Host.Docker.Internal") as receiver:
        for host in (
            "spandeck:4318",
            "SPANDECK",
            "host.docker.internal:80",
            "localhost.",
            "[::1]:9",
            "127.8.9.1",
        ):
            assert receiver.post(b"{}", JSON, Host=host).status == 200, host
            assert receiver.post(b"{}", JSON, Origin=f"http://{host}").status == 200, host
        assert receiver.post(b"{}", JSON, Host="spandeck.evil.example").status == 403


def test_wrong_methods_and_paths_are_told_apart(shared_receiver: Receiver) -> None:
    wrong = shared_receiver.ask("GET", "/v1/traces")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    assert shared_receiver.ask("POST", "/healthz").headers["allow"] == "GET"
    for path in ("/", "/v1/trace", "/v1/traces/", "//v1/traces", "/V1/TRACES"):
        assert shared_receiver.post(request_bytes(), path=path).status == 404, path


def test_refusals_reach_the_journal_by_signal_and_reason(receiver: Receiver) -> None:
    for _ in range(3):
        receiver.post(b"{", JSON)
    receiver.post(b"{}", "text/plain", path="/v1/logs")
    receiver.ask("POST", "/nowhere")
    eventually(lambda: sum(receiver.refusals().values()) == 5)
    counts = receiver.refusals()
    assert counts["traces", "The body is not a valid OTLP message."] == 3
    assert counts["unknown", "The path is none of /v1/traces, /v1/metrics and /v1/logs."] == 1


def test_the_limit_holds_plain_compressed_and_chunked(tmp_path: Path) -> None:
    with running(tmp_path, max_body_bytes=MEBIBYTE) as receiver:
        fitting = _request_of(MEBIBYTE)
        assert receiver.post(fitting).status == 200
        assert receiver.post(gzip.compress(fitting), Content_Encoding="gzip").status == 200
        above = _request_of(MEBIBYTE + 1)
        for answer in (
            receiver.post(above),
            receiver.post(gzip.compress(above), Content_Encoding="gzip"),
            receiver.post(gzip.compress(bytes(200 * MEBIBYTE), 9), Content_Encoding="gzip"),
        ):
            assert answer.status == 413
            assert "SPANDECK_MAX_BODY_BYTES" in answer.error().message
            assert "retry-after" not in answer.headers
        connection = receiver.connect()
        connection.request("POST", "/v1/traces", iter([above]), {"Content-Type": PROTOBUF}, encode_chunked=True)
        assert connection.getresponse().status == 413
        connection.close()


def _request_of(size: int) -> bytes:
    """A request of exactly `size` bytes."""
    body = request_bytes(name="x" * (size - 200))
    return request_bytes(name="x" * (size - 200 + size - len(body)))


def test_many_gzip_members_are_refused_before_they_cost_much(shared_receiver: Receiver) -> None:
    answer = shared_receiver.post(gzip.compress(b"") * 50_000, Content_Encoding="gzip")
    assert answer.status == 400


def test_a_token_is_demanded_on_every_route_but_health(tmp_path: Path) -> None:
    with running(tmp_path, ingest_token="s3cret") as receiver:
        right = "bearer s3cret"
        assert receiver.post(b"{}", JSON, Authorization=right).status == 200
        for path in ("/v1/traces", "/v1/metrics", "/v1/logs", "/nowhere", "/"):
            for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer s3cre"}, {"Authorization": "s3cret"}):
                answer = receiver.post(b"{}", JSON, path, **headers)
                assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        assert receiver.ask("GET", "/healthz").status == 200
        assert receiver.ask("GET", "/readyz").status == 200
        doubled = _raw(receiver, f"authorization: {right}\r\nauthorization: {right}\r\n")
        assert b" 401 " in doubled


def test_a_full_journal_answers_503_with_when_to_retry_and_readiness_follows(tmp_path: Path) -> None:
    with running(tmp_path, journal_limit_bytes=MEBIBYTE, journal_segment_bytes=MEBIBYTE) as receiver:
        body = request_bytes(name="x" * 700_000)
        assert receiver.post(body).status == 200
        answer = receiver.post(body)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        info = RetryInfo()
        assert answer.error().details[0].Unpack(info)
        assert info.retry_delay.seconds == 5
        assert len(receiver.spans()) == 1
        assert receiver.post(request_bytes()).status == 200
        assert receiver.ask("GET", "/readyz").status == 200


def test_a_lost_disk_answers_503_and_recovers_without_a_restart(receiver: Receiver) -> None:
    journal = receiver.directory / "journal"
    journal.rename(receiver.directory / "away")
    answer = receiver.post(request_bytes())
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert str(receiver.directory).encode() not in answer.body
    assert receiver.ask("GET", "/readyz").status == 503
    (receiver.directory / "away").rename(journal)
    assert receiver.ask("GET", "/readyz").status == 200
    assert receiver.post(request_bytes()).status == 200


def test_mutated_bodies_give_only_200_and_400(shared_receiver: Receiver) -> None:
    chance = random.Random(3)
    bodies = {PROTOBUF: request_bytes(4), JSON: _json_body()}
    for number in range(200):
        media = (PROTOBUF, JSON)[number % 2]
        mutant = bytearray(bodies[media])
        for _ in range(chance.randint(1, 4)):
            mutant[chance.randrange(len(mutant))] = chance.randrange(256)
        del mutant[chance.choice([len(mutant), chance.randrange(len(mutant))]) :]
        answer = shared_receiver.post(bytes(mutant), media)
        assert answer.status in (200, 400), bytes(mutant)
    assert shared_receiver.ask("GET", "/readyz").status == 200


def _json_body() -> bytes:
    attribute = {"key": "n", "value": {"arrayValue": {"values": [{"intValue": "3"}, {"doubleValue": 0.5}]}}}
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "chat", "kind": 3, "attributes": [attribute]}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def test_ipv6_loopback_is_served_on_the_same_port(receiver: Receiver) -> None:
    try:
        connection = socket.create_connection(("::1", receiver.http_port))
    except OSError:
        assert "[::1]" not in receiver.lines[-1]
        assert "cannot be opened" in receiver.lines[0]
        return
    with connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: [::1]\r\nconnection: close\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")


def _raw(receiver: Receiver, headers: str, body: bytes = b"{}") -> bytes:
    """The whole answer to a hand-made request, on a connection that closes after it."""
    head = f"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {JSON}\r\nconnection: close\r\n{headers}"
    if "length" not in headers and "transfer" not in headers:
        head += f"content-length: {len(body)}\r\n"
    with socket.create_connection((receiver.host, receiver.http_port), timeout=20) as connection:
        connection.sendall(head.encode() + b"\r\n" + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_upgrade_is_ignored_and_the_body_is_read(receiver: Receiver) -> None:
    """Java's HTTP client offers h2c; the body would be lost if the parser took the offer."""
    headers = "connection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    answer = _raw(receiver, headers, _json_body())
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert len(receiver.spans()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        "content-length: 2\r\ntransfer-encoding: chunked\r\n",
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: -2\r\n",
        "content-length: 2\r\n folded\r\n",
        "transfer-encoding: xchunked\r\ncontent-length: 2\r\n",
        "upgrade: x\r\nconnection: upgrade\r\nno colon\r\n",
        f"x: {'a' * 65_536}",
    ],
    ids=["both lengths", "two lengths", "negative", "folded", "unknown coding", "no colon", "long head"],
)
def test_what_could_be_smuggled_is_refused_and_closed(shared_receiver: Receiver, headers: str) -> None:
    head = f"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {JSON}\r\n{headers}"
    body = "\r\n{}" if headers.endswith("\r\n") else ""
    with socket.create_connection((shared_receiver.host, shared_receiver.http_port), timeout=20) as connection:
        connection.sendall((head + body).encode())
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"code": 3,' in answer
