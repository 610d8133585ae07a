"""Rows 1 to 22 of the OTLP checklist (docs/otlp.md): what the specification says of OTLP/gRPC."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spandeck_collector.receiver.outcomes import Reason
from spandeck_collector.settings import Settings
from tests.collector.grpc_client import LOGS, METRICS, TRACES, Client
from tests.collector.receiver_process import Receiver, request, request_bytes, running
from tests.support.waiting import eventually
from tests.support.web import JSON

from .messages import attribute, json_span, logs_request, metrics_request, nested_value, span_request

pytestmark = pytest.mark.integration

MEBIBYTE = 1 << 20
RETRIED_WITHOUT_HINT = {1, 4, 10, 11, 15}


@pytest.fixture(scope="module")
def client(shared_receiver: Receiver) -> Iterator[Client]:
    client = Client(shared_receiver)
    yield client
    client.channel.close()


def status_of(error: Any) -> Status:
    return Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])


def is_hinted(error: Any) -> bool:
    return "google.rpc.retryinfo-bin" in dict(error.trailing_metadata() or ())


def test_row_01_plain_and_gzip_are_taken_on_both_transports(receiver: Receiver) -> None:
    client = Client(receiver)
    assert receiver.post(request_bytes(1, 1)).status == 200
    assert receiver.post(gzip.compress(request_bytes(1, 2)), Content_Encoding="gzip").status == 200
    client.call(TRACES, request_bytes(1, 3))
    client.call(TRACES, request_bytes(1, 4), compression=grpc.Compression.Gzip)
    client.channel.close()
    assert [int.from_bytes(span.span_id, "big") for span in receiver.spans()] == [1, 2, 3, 4]


@pytest.mark.parametrize("encoding", ["br", "snappy", "lz4", "zlib", "gzip, gzip", "x"])
def test_row_02_an_unknown_encoding_is_415_and_never_stored(shared_receiver: Receiver, encoding: str) -> None:
    before = shared_receiver.metric("journaled_requests_total")
    answer = shared_receiver.post(request_bytes(), Content_Encoding=encoding)
    assert (answer.status, answer.error().code) == (415, 12)
    assert shared_receiver.metric("journaled_requests_total") == before


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_row_03_the_limit_holds_before_and_after_decompression(tmp_path: Path, compression: grpc.Compression) -> None:
    with running(tmp_path, max_body_bytes=MEBIBYTE) as receiver:
        client = Client(receiver)
        assert client.call(TRACES, exactly(MEBIBYTE), compression=compression) == b""
        error = client.failure(TRACES, exactly(MEBIBYTE + 1), compression=compression)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        bomb = client.failure(TRACES, bytes(50 * MEBIBYTE), compression=compression)
        assert bomb.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        client.channel.close()


def exactly(size: int) -> bytes:
    """A request of `size` bytes."""
    body = request_bytes(name="x" * (size - 200))
    return request_bytes(name="x" * (size - 200 + size - len(body)))


def test_row_04_the_limit_is_64_mib_and_can_be_set(tmp_path: Path) -> None:
    assert Settings().max_body_bytes == 64 * MEBIBYTE
    with running(tmp_path, max_body_bytes=1000) as receiver:
        assert "SPANDECK_MAX_BODY_BYTES" in receiver.post(bytes(1001)).error().message


def test_row_05_above_the_limit_is_not_retried(tmp_path: Path) -> None:
    with running(tmp_path, max_body_bytes=MEBIBYTE) as receiver:
        client = Client(receiver)
        for size in (MEBIBYTE + 1, 2 * MEBIBYTE):
            error = client.failure(TRACES, exactly(size))
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert not is_hinted(error)
        client.channel.close()
        assert receiver.metric("refused_total", reason="too_large") >= 1


def test_row_06_calls_are_served_at_the_same_time(shared_receiver: Receiver) -> None:
    """A call whose message does not come holds up no other."""
    client, other = Client(shared_receiver), Client(shared_receiver)
    release = threading.Event()

    def late() -> Iterator[bytes]:
        release.wait(20)
        yield request_bytes()

    waiting = client.channel.stream_unary(TRACES).future(late(), timeout=30)
    assert other.call(TRACES, request_bytes()) == b""
    assert not waiting.done()
    release.set()
    assert waiting.result() == b""
    client.channel.close()
    other.channel.close()


@pytest.mark.parametrize(
    ("method", "body", "response"),
    [
        (TRACES, request_bytes(), ExportTraceServiceResponse),
        (METRICS, metrics_request(), ExportMetricsServiceResponse),
        (LOGS, logs_request(), ExportLogsServiceResponse),
    ],
)
def test_row_07_the_answer_is_the_export_response(client: Client, method: str, body: bytes, response: Any) -> None:
    assert response.FromString(client.call(method, body)) == response()


def test_row_08_answers_are_small_whatever_is_wrong(shared_receiver: Receiver, client: Client) -> None:
    message = request(20_000)
    for span in message.resource_spans[0].scope_spans[0].spans:
        span.span_id = bytes(8)
    answer = client.call(TRACES, message.SerializeToString())
    assert ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans == 20_000
    assert len(answer) < 1000
    assert len(shared_receiver.post(b'{"resourceSpans": "' + b"x" * 100_000 + b'"}', JSON).body) < 2000


@pytest.mark.parametrize("method", [TRACES, METRICS, LOGS])
def test_row_09_an_empty_request_succeeds(client: Client, method: str) -> None:
    assert client.call(method, b"") == b""


def test_row_10_partial_success_is_unset_when_all_is_taken(client: Client) -> None:
    answer = ExportTraceServiceResponse.FromString(client.call(TRACES, request_bytes(3)))
    assert not answer.HasField("partial_success")


def wrong_ids(count: int, of: int) -> bytes:
    message = request(of)
    for span in list(message.resource_spans[0].scope_spans[0].spans)[:count]:
        span.trace_id = bytes(16)
    return message.SerializeToString()


def test_row_11_rejected_spans_are_counted_exactly(client: Client) -> None:
    answer = ExportTraceServiceResponse.FromString(client.call(TRACES, wrong_ids(3, of=7)))
    assert answer.partial_success.rejected_spans == 3


def test_row_12_the_message_says_why_and_what_to_do(client: Client) -> None:
    answer = ExportTraceServiceResponse.FromString(client.call(TRACES, wrong_ids(3, of=7)))
    assert answer.partial_success.error_message == (
        "3 of 7 spans were refused: a trace_id must be 16 bytes and a span_id 8 bytes "
        "(in JSON 32 and 16 hex digits), not all zero."
    )


def test_row_13_a_warning_comes_with_nothing_rejected(shared_receiver: Receiver, client: Client) -> None:
    deep = span_request(attribute("deep", nested_value(60)))
    answer = ExportTraceServiceResponse.FromString(client.call(TRACES, deep)).partial_success
    assert (answer.rejected_spans, answer.error_message.partition(":")[0]) == (
        0, "Values nested deeper than 32 levels are stored without what is below"
    )  # fmt: skip
    value: dict[str, Any] = {"stringValue": "leaf"}
    for _ in range(60):
        value = {"arrayValue": {"values": [value]}}
    told = shared_receiver.post(json_span(attributes=[{"key": "deep", "value": value}]), JSON)
    assert b'"errorMessage"' in told.body
    assert b"rejected" not in told.body


def test_row_14_a_transient_fault_is_never_a_partial_success(tmp_path: Path) -> None:
    with running(tmp_path, journal_limit_bytes=MEBIBYTE, journal_segment_bytes=MEBIBYTE) as receiver:
        client = Client(receiver)
        client.call(TRACES, exactly(700_000))
        error = client.failure(TRACES, exactly(700_000))
        client.channel.close()
    assert error.code() is grpc.StatusCode.UNAVAILABLE


def test_row_15_what_may_be_retried_is_unavailable_with_retry_info(receiver: Receiver) -> None:
    client = Client(receiver)
    journal = receiver.directory / "journal"
    journal.rename(receiver.directory / "away")
    error = client.failure(TRACES, request_bytes())
    (receiver.directory / "away").rename(journal)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert status_of(error).details[0].Is(RetryInfo.DESCRIPTOR)
    client.channel.close()


@pytest.mark.parametrize("body", [b"\xff\xff", b"\x0a\x05ab", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"])
def test_row_16_bad_data_is_invalid_argument_with_bad_request(client: Client, body: bytes) -> None:
    error = client.failure(TRACES, body)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = BadRequest()
    assert status_of(error).details[0].Unpack(details)
    assert details.field_violations[0].field == "body"


def test_row_17_no_refusal_of_bad_data_has_a_code_that_clients_retry() -> None:
    final = [reason for reason in Reason if reason.retry_after_s is None and reason is not Reason.SLOW]
    assert len(final) > 8
    assert {reason.grpc for reason in final} & (RETRIED_WITHOUT_HINT | {14}) == set()


def test_row_18_resource_exhausted_never_carries_retry_info() -> None:
    assert [reason for reason in Reason if reason.grpc == 8 and reason.retry_after_s is not None] == []


def test_row_19_overload_is_unavailable_with_a_delay_of_seconds() -> None:
    for reason in (Reason.BUSY, Reason.JOURNAL_FULL, Reason.JOURNAL_FAILED, Reason.STOPPING, Reason.INTERNAL):
        assert (reason.http, reason.grpc) == (503, 14)
        assert 1 <= (reason.retry_after_s or 0) <= 30


def test_row_20_retry_info_comes_in_both_trailers(tmp_path: Path) -> None:
    with running(tmp_path, max_body_bytes=MEBIBYTE, journal_limit_bytes=MEBIBYTE) as receiver:
        client = Client(receiver)
        client.call(TRACES, exactly(700_000))
        error = client.failure(TRACES, exactly(700_000))
        client.channel.close()
    packed = RetryInfo()
    assert status_of(error).details[0].Unpack(packed)
    direct = RetryInfo.FromString(dict(error.trailing_metadata())["google.rpc.retryinfo-bin"])
    assert direct == packed
    assert direct.retry_delay.seconds == Reason.JOURNAL_FULL.retry_after_s


def test_row_21_wrong_tokens_and_methods_are_final(tmp_path: Path) -> None:
    with running(tmp_path, ingest_token="s3cret") as receiver:
        client = Client(receiver)
        token = client.failure(TRACES, b"", "Bearer wrong")
        method = client.failure("/opentelemetry.proto.collector.trace.v1.TraceService/Other", b"", "Bearer s3cret")
        assert (token.code(), method.code()) == (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED)
        assert not is_hinted(token)
        assert not is_hinted(method)
        eventually(lambda: receiver.refusals() == {("traces", Reason.TOKEN.sentence): 1})
        client.channel.close()


def test_row_22_the_default_ports_are_4317_and_4318() -> None:
    assert (Settings().grpc_port, Settings().http_port) == (4317, 4318)
