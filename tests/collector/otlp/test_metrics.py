"""`GET /metrics` of the receiver: what was received, stored in the journal and refused, and how long the disk took."""

import gzip
import json

import pytest

from tests.collector.grpc_client import TRACES, Client
from tests.collector.receiver_process import Receiver, request, request_bytes
from tests.support.web import JSON

pytestmark = pytest.mark.integration


def test_what_is_received_journaled_and_refused_is_counted(receiver: Receiver) -> None:
    body, client = request_bytes(20), Client(receiver)
    packed = gzip.compress(body)
    receiver.post(packed, Content_Encoding="gzip")
    client.call(TRACES, body)
    client.channel.close()
    receiver.post(b"{", JSON)
    receiver.post(b"{}", "text/plain", "/v1/logs")
    wrong = request(3)
    wrong.resource_spans[0].scope_spans[0].spans[0].span_id = b""
    receiver.post(wrong.SerializeToString())
    metric = receiver.metric
    assert metric("received_requests_total", signal="traces", transport="http") == 3
    assert metric("received_bytes_total", transport="http") == len(packed) + 1 + len(wrong.SerializeToString())
    assert metric("received_bytes_total", transport="grpc") == len(body)
    assert metric("journaled_requests_total", signal="traces") == 3
    assert metric("journaled_bytes_total") == sum(
        len(record.body) for record in receiver.records() if record.signal == 1
    )
    assert metric("refused_total", signal="traces", reason="malformed") == 1
    assert metric("refused_total", signal="logs", reason="media_type") == 1
    assert metric("refused_total", signal="traces", reason="wrong_ids") == 1


def test_the_journal_tells_its_size_and_how_long_the_disk_took(receiver: Receiver) -> None:
    assert receiver.metric("journal_size_bytes") == 0
    for _ in range(5):
        receiver.post(request_bytes())
    files = (receiver.directory / "journal").glob("*.journal")
    assert receiver.metric("journal_size_bytes") == sum(path.stat().st_size for path in files)
    assert receiver.metric("journal_sync_seconds_count") == 5
    assert 0 < receiver.metric("journal_sync_seconds_sum") < 60
    assert receiver.metric("held_bytes") == 0


def test_the_text_is_that_of_prometheus_and_holds_nothing_of_a_sender(receiver: Receiver) -> None:
    receiver.post(json.dumps({"resourceSpans": "canary"}).encode(), JSON, Host="localhost", User_Agent="canary")
    receiver.ask("GET", "/canary")
    answer = receiver.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"canary" not in answer.body
    assert b"# TYPE spandeck_receiver_received_requests_total counter" in answer.body
