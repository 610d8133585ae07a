"""OTLP/gRPC over real sockets."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spandeck_collector.journal import Signal
from tests.support.waiting import DEADLINE_S, eventually

from .grpc_client import CHECK, LOGS, METRICS, SERVING, TRACES, Client
from .receiver_process import Receiver, request, request_bytes, running

pytestmark = pytest.mark.integration


@pytest.fixture
def client(receiver: Receiver) -> Iterator[Client]:
    client = Client(receiver)
    yield client
    client.channel.close()


def test_all_signals_are_journaled_byte_for_byte(receiver: Receiver, client: Client) -> None:
    metrics = metrics_service_pb2.ExportMetricsServiceRequest()
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="tokens")
    logs = logs_service_pb2.ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    sent = [
        (TRACES, request_bytes(3)),
        (METRICS, metrics.SerializeToString()),
        (LOGS, logs.SerializeToString()),
    ]
    for method, body in sent:
        assert client.call(method, body) == b""
    assert [(record.signal, record.body) for record in receiver.records()] == [
        (signal, body) for signal, (_, body) in zip(list(Signal)[:3], sent, strict=True)
    ]


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_calls_are_taken(receiver: Receiver, client: Client, compression: grpc.Compression) -> None:
    client.call(TRACES, request_bytes(50), compression=compression)
    assert receiver.records()[0].body == request_bytes(50)


def test_empty_requests_succeed_and_wrong_ids_are_counted(receiver: Receiver, client: Client) -> None:
    assert client.call(TRACES, b"") == b""
    message = request(3)
    message.resource_spans[0].scope_spans[0].spans[1].span_id = bytes(8)
    answer = ExportTraceServiceResponse.FromString(client.call(TRACES, message.SerializeToString()))
    assert answer.partial_success.rejected_spans == 1
    assert len(receiver.spans()) == 2


def test_bad_data_is_invalid_argument_and_never_retried(receiver: Receiver, client: Client) -> None:
    error = client.failure(TRACES, b"\xff\xff")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    metadata = dict(error.trailing_metadata())
    status = Status.FromString(metadata["grpc-status-details-bin"])
    assert (status.code, status.message) == (3, error.details())
    assert "google.rpc.retryinfo-bin" not in metadata
    eventually(lambda: receiver.refusals() == {("traces", "The body is not a valid OTLP message."): 1})


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_above_the_limit_is_resource_exhausted_without_retry(tmp_path: Path, compression: grpc.Compression) -> None:
    with running(tmp_path, max_body_bytes=1 << 20) as receiver:
        client = Client(receiver)
        error = client.failure(TRACES, request_bytes(name="x" * (1 << 20)), compression=compression)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "google.rpc.retryinfo-bin" not in dict(error.trailing_metadata() or ())
        assert client.call(TRACES, request_bytes(name="x" * 1_000_000), compression=compression) == b""
        client.channel.close()


def test_a_full_journal_is_unavailable_with_both_kinds_of_retry_info(tmp_path: Path) -> None:
    with running(tmp_path, journal_limit_bytes=1 << 20, journal_segment_bytes=1 << 20) as receiver:
        client = Client(receiver)
        client.call(TRACES, request_bytes(name="x" * 700_000))
        error = client.failure(TRACES, request_bytes(name="x" * 700_000))
        client.channel.close()
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    metadata = dict(error.trailing_metadata())
    direct, packed = RetryInfo.FromString(metadata["google.rpc.retryinfo-bin"]), RetryInfo()
    assert Status.FromString(metadata["grpc-status-details-bin"]).details[0].Unpack(packed)
    assert direct == packed
    assert direct.retry_delay.seconds == 5


def test_a_token_is_demanded_on_every_method_but_health(tmp_path: Path) -> None:
    with running(tmp_path, ingest_token="s3cret") as receiver:
        client = Client(receiver)
        for method in (TRACES, METRICS, LOGS, "/any.Other/Method", CHECK + "x"):
            for token in (None, "", "Bearer wrong", "s3cret"):
                assert client.failure(method, b"", token).code() is grpc.StatusCode.UNAUTHENTICATED, method
        assert client.call(TRACES, b"", "Bearer s3cret") == b""
        assert client.failure("/any.Other/Method", b"", "Bearer s3cret").code() is grpc.StatusCode.UNIMPLEMENTED
        assert client.call(CHECK, b"") == SERVING
        client.channel.close()


def test_health_knows_the_services(client: Client) -> None:
    name = TRACES.split("/")[1].encode()
    assert client.call(CHECK, b"\x0a" + bytes([len(name)]) + name) == SERVING
    assert client.failure(CHECK, b"\x0a\x01x").code() is grpc.StatusCode.NOT_FOUND


def test_a_health_watch_tells_of_the_stop(receiver: Receiver, client: Client) -> None:
    watch = client.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=DEADLINE_S)
    assert next(watch) == SERVING
    assert receiver.stop() == 0
    assert next(watch) == b"\x08\x02"


def test_calls_run_side_by_side_on_one_connection(receiver: Receiver, client: Client) -> None:
    method = client.channel.unary_unary(TRACES)
    waiting = [method.future(request_bytes(1, number), timeout=DEADLINE_S) for number in range(1, 201)]
    assert [call.result() for call in waiting] == [b""] * 200
    assert sorted(int.from_bytes(span.span_id, "big") for span in receiver.spans()) == list(range(1, 201))


def test_refusals_are_json_of_fixed_sentences(receiver: Receiver, client: Client) -> None:
    client.failure(TRACES, b"\xff secret")
    eventually(lambda: bool(receiver.refusals()))
    (record,) = receiver.records()
    (row,) = json.loads(record.body)["refusals"]
    assert record.signal is Signal.REFUSALS
    assert set(row) == {"signal", "reason", "count", "last_at_ns"}
    assert b"secret" not in record.body
