"""Rows 23 to 27 and 34 to 48 of the OTLP checklist (docs/otlp.md): what the specification says of OTLP/HTTP."""

import gzip
import json
import random
import threading
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spandeck_collector.receiver.outcomes import Reason
from tests.collector.receiver_process import Receiver, request, request_bytes, running
from tests.support.packing import CODINGS
from tests.support.waiting import eventually
from tests.support.web import JSON, PROTOBUF

from .messages import SPAN, connect, head, json_request, json_span, logs_request, metrics_request, raw

pytestmark = pytest.mark.integration

MEBIBYTE = 1 << 20
PATHS = {"/v1/traces": request_bytes(), "/v1/metrics": metrics_request(), "/v1/logs": logs_request()}
RETRYABLE = {429, 502, 503, 504}


def test_row_23_post_over_http_1_1(shared_receiver: Receiver) -> None:
    body = json_span()
    answer = raw(shared_receiver, head(f"content-length: {len(body)}", "connection: close") + body)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_row_24_a_protobuf_request_has_a_protobuf_answer(shared_receiver: Receiver) -> None:
    answer = shared_receiver.post(request_bytes())
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert ExportTraceServiceResponse.FromString(answer.body) == ExportTraceServiceResponse()


def test_row_25_a_json_request_has_a_json_answer(shared_receiver: Receiver) -> None:
    answer = shared_receiver.post(json_span(), JSON)
    assert (answer.headers["content-type"], json.loads(answer.body)) == ("application/json", {})


REFUSED: list[tuple[bytes, dict[str, str], int]] = [
    (b"\xff", {}, 400),
    (b"x", {"Content_Encoding": "br"}, 415),
    (b"x", {"Content_Encoding": "gzip"}, 400),
    (b"", {"Host": "evil.example"}, 403),
]


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
@pytest.mark.parametrize(("body", "headers", "status"), REFUSED)
def test_row_26_refusals_too_answer_in_the_requests_encoding(
    shared_receiver: Receiver, media: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = shared_receiver.post(body, media, **headers)
    assert (answer.status, answer.headers["content-type"]) == (status, media)
    assert answer.error().message


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; charset=utf-8", json_span()),
        ("Application/JSON;charset=UTF-8", json_span()),
        ("application/x-protobuf; messageType=x", request_bytes()),
        ("APPLICATION/X-PROTOBUF", request_bytes()),
    ],
)
def test_row_27_media_types_have_parameters_and_any_case(
    shared_receiver: Receiver, content_type: str, body: bytes
) -> None:
    assert shared_receiver.post(body, content_type).status == 200


def test_row_34_the_paths_are_those_of_the_signals(shared_receiver: Receiver) -> None:
    for path, body in PATHS.items():
        assert shared_receiver.post(body, path=path).status == 200
    assert shared_receiver.post(b"", path="/v1development/profiles").status == 404


@pytest.mark.parametrize("encoding", [None, *CODINGS])
def test_row_35_above_the_limit_is_413_also_after_decompression(tmp_path: Path, encoding: str | None) -> None:
    pack = CODINGS[encoding] if encoding else bytes
    more = {"Content_Encoding": encoding} if encoding else {}
    with running(tmp_path, max_body_bytes=MEBIBYTE) as receiver:
        for size, status in ((MEBIBYTE - 1, 200), (MEBIBYTE, 200), (MEBIBYTE + 1, 413), (60 * MEBIBYTE, 413)):
            assert receiver.post(pack(sized(size)), PROTOBUF, "/v1/traces", **more).status == status
        connection = receiver.connect()
        connection.request("POST", "/v1/traces", iter([pack(sized(2 * MEBIBYTE))]), {"Content-Type": PROTOBUF} | {
            name.replace("_", "-"): value for name, value in more.items()
        }, encode_chunked=True)  # fmt: skip
        assert connection.getresponse().status == 413
        connection.close()


def sized(size: int) -> bytes:
    """A request of exactly `size` bytes."""
    body = request_bytes(name="x" * (size - 200))
    return request_bytes(name="x" * (size - 200 + size - len(body)))


def test_row_36_answers_are_small_whatever_is_asked(shared_receiver: Receiver) -> None:
    answer = shared_receiver.post(json_request(*({"traceId": "x" * 1000} for _ in range(5000))), JSON)
    assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "5000"
    assert len(answer.body) < 1000


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "identity;q=0.5, gzip", ""])
def test_row_37_answers_can_be_read_whatever_is_accepted(shared_receiver: Receiver, accepted: str) -> None:
    """They are below what compression would make smaller."""
    answer = shared_receiver.post(json_request(SPAN, {}), JSON, Accept_Encoding=accepted)
    assert "content-encoding" not in answer.headers
    assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "1"


def test_row_38_full_success_is_200_and_the_empty_message(shared_receiver: Receiver) -> None:
    for path, body in PATHS.items():
        answer = shared_receiver.post(body, path=path)
        assert (answer.status, answer.body) == (200, b"")
        answer = shared_receiver.post(b"{}", JSON, path)
        assert (answer.status, answer.body) == (200, b"{}")


def test_row_39_partial_success_is_200(shared_receiver: Receiver) -> None:
    message = request(2)
    message.resource_spans[0].scope_spans[0].spans[0].span_id = b""
    answer = shared_receiver.post(message.SerializeToString())
    assert answer.status == 200
    assert ExportTraceServiceResponse.FromString(answer.body).partial_success.rejected_spans == 1


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_row_40_every_failure_is_a_status_message(shared_receiver: Receiver, media: str) -> None:
    headers = {"Content-Type": media}
    for method, path in (("POST", "/v1/traces"), ("GET", "/v1/logs"), ("POST", "/nowhere"), ("PUT", "/healthz")):
        answer = shared_receiver.ask(method, path, b"\xff" if method == "POST" else None, headers)
        assert 400 <= answer.status < 500
        assert answer.error().message.endswith(".")
        assert answer.error().code > 0


def test_row_41_only_what_passes_by_itself_has_a_status_that_is_retried() -> None:
    for reason in Reason:
        assert (reason.http in RETRYABLE) is (reason.retry_after_s is not None), reason


def test_row_42_undecodable_is_400_with_bad_request(shared_receiver: Receiver) -> None:
    bodies = [(b"{", JSON, {}), (b"\xff", PROTOBUF, {}), (b"no gzip", PROTOBUF, {"Content_Encoding": "gzip"})]
    for body, media, more in bodies:
        answer = shared_receiver.post(body, media, **more)
        details = BadRequest()
        assert answer.status == 400
        assert answer.error().details[0].Unpack(details)
        assert details.field_violations[0].description == answer.error().message


def test_row_43_overload_is_503_with_retry_after_in_seconds(tmp_path: Path) -> None:
    with running(tmp_path, journal_limit_bytes=MEBIBYTE, journal_segment_bytes=MEBIBYTE) as receiver:
        assert receiver.post(sized(700_000)).status == 200
        answer = receiver.post(sized(700_000))
        info = RetryInfo()
        assert answer.error().details[0].Unpack(info)
        assert (answer.status, answer.headers["retry-after"]) == (503, str(info.retry_delay.seconds))
        assert receiver.metric("refused_total", reason="journal_full") == 1


def test_row_44_what_is_sent_again_is_stored_once(stack: Any) -> None:
    for body in (request_bytes(5, 4_400), request_bytes(5, 4_400), request_bytes(3, 4_403)):
        assert stack.post(body, PROTOBUF).status == 200
    ids = "select span_id from spans where span_id between ? and ? order by span_id"
    found = partial(stack.rows, ids, f"{4_400:016x}", f"{4_410:016x}")
    eventually(lambda: len(found()) >= 6)
    assert found() == [[f"{number:016x}"] for number in range(4_400, 4_406)]


def test_row_45_a_connection_is_kept_for_many_requests(shared_receiver: Receiver) -> None:
    connection = shared_receiver.connect()
    for _ in range(200):
        connection.request("POST", "/v1/traces", request_bytes(), {"Content-Type": PROTOBUF})
        response = connection.getresponse()
        response.read()
        assert (response.status, response.headers["connection"]) == (200, None)
    connection.close()


def test_row_46_both_encodings_come_over_one_connection(shared_receiver: Receiver) -> None:
    connection = shared_receiver.connect()
    for media, body in ((PROTOBUF, request_bytes()), (JSON, json_span())) * 3:
        connection.request("POST", "/v1/traces", body, {"Content-Type": media})
        response = connection.getresponse()
        response.read()
        assert (response.status, response.headers["content-type"]) == (200, media)
    connection.close()


def test_row_47_connections_are_served_side_by_side(shared_receiver: Receiver) -> None:
    """One whose body does not come holds up no other; and a hundred at once all get 200."""
    waiting = connect(shared_receiver)
    waiting.sendall(head("content-length: 100"))
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(shared_receiver.post(request_bytes(5)).status))
        for _ in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting.close()
    assert statuses == [200] * 100


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceSpans": []}',
        b'{"resourceSpans": [{}]}',
        b'{"resourceSpans": [{"scopeSpans": [{}, {"spans": []}]}]}',
        b'{"resourceSpans": null}',
    ],
)
def test_row_48_empty_envelopes_are_taken_and_not_kept(shared_receiver: Receiver, body: bytes) -> None:
    before = shared_receiver.metric("journaled_requests_total")
    assert shared_receiver.post(body, JSON).body == b"{}"
    assert shared_receiver.post(gzip.compress(b"\x0a\x00"), Content_Encoding="gzip").body == b""
    assert shared_receiver.metric("journaled_requests_total") == before


def test_chunks_of_any_size_are_one_body(receiver: Receiver) -> None:
    body = request_bytes(30)
    chance = random.Random(5)
    cuts = sorted({0, len(body), *(chance.randrange(len(body)) for _ in range(40))})
    chunks = [body[start:end] for start, end in pairwise(cuts)]
    connection = receiver.connect()
    connection.request("POST", "/v1/traces", iter(chunks), {"Content-Type": PROTOBUF}, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert receiver.records()[0].body == body
