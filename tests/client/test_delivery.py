"""Delivery: what the collector answers decides, waits keep their time, and no span is lost without being counted."""

import socket
import threading

import pytest

import spandeck
from spandeck import Limits, Telemetry

from .conftest import QUICK
from .sink import DEADLINE_S, Sink

pytestmark = pytest.mark.integration


def record(telemetry: Telemetry, count: int = 1) -> None:
    for _ in range(count):
        telemetry.request("a").complete()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_spans_arrive_without_being_asked_for(telemetry: Telemetry, sink: Sink) -> None:
    record(telemetry, 3)
    sink.wait_for(lambda: len(sink.spans) == 3)
    sink.wait_for(lambda: telemetry.delivered_count == 3)
    assert telemetry.dropped == {}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_collector_gets_the_same_spans_again(telemetry: Telemetry, sink: Sink, status: int) -> None:
    sink.statuses = [status, status]
    record(telemetry)
    assert telemetry.flush(DEADLINE_S)
    assert len(sink.requests) == 3
    assert (len(sink.spans), telemetry.delivered_count, telemetry.dropped) == (1, 1, {})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 500])
def test_a_refusal_is_final_and_counted(telemetry: Telemetry, sink: Sink, status: int) -> None:
    sink.statuses = [status]
    record(telemetry, 2)
    assert not telemetry.flush(DEADLINE_S)
    assert telemetry.dropped == {"refused": 2}
    record(telemetry)
    assert telemetry.flush(DEADLINE_S)
    assert telemetry.delivered_count == 1


def test_a_partial_success_counts_the_refused_spans(telemetry: Telemetry, sink: Sink) -> None:
    sink.rejected_count = 1
    record(telemetry, 3)
    assert not telemetry.flush(DEADLINE_S)
    assert (telemetry.delivered_count, telemetry.dropped) == (2, {"refused": 1})


def test_flush_and_shutdown_return_while_the_collector_is_silent(telemetry: Telemetry, sink: Sink) -> None:
    """The SDK's own flush takes 35 to 50 seconds here."""
    sink.silent = True
    record(telemetry, 5)
    sink.wait_for(lambda: len(sink.requests) == 1)
    assert not telemetry.flush(0.1)
    assert not telemetry.shutdown(0.1)
    assert len(sink.requests) == 1, "both returned while the first request was unanswered"
    assert telemetry.dropped == {"unreachable": 5}
    sink.silent = False
    sink.released.set()
    record(telemetry)
    assert telemetry.dropped == {"unreachable": 5, "after_shutdown": 1}


def test_a_full_queue_drops_the_oldest(sink: Sink) -> None:
    sink.silent = True
    limits = Limits(queue_spans=10, batch_spans=1, interval_s=0.01, first_backoff_s=0.02)
    telemetry = spandeck.configure(sink.endpoint, limits=limits)
    record(telemetry)
    sink.wait_for(lambda: len(sink.requests) == 1)
    for number in range(15):
        telemetry.request(f"r{number}").complete()
    assert telemetry.dropped == {"queue_full": 5}
    sink.silent = False
    sink.released.set()
    assert telemetry.flush(DEADLINE_S)
    assert {span.name for span in sink.spans} == {"invoke_agent a"} | {
        f"invoke_agent r{number}" for number in range(5, 15)
    }
    telemetry.shutdown(0)


def test_the_queue_is_bounded_in_bytes_too(sink: Sink) -> None:
    telemetry = spandeck.configure(sink.endpoint, limits=Limits(queue_bytes=50_000, interval_s=DEADLINE_S))
    for _ in range(10):
        telemetry.request("a", attributes={"note": "x" * 20_000}).complete()
    assert telemetry.dropped == {"queue_full": 8}
    telemetry.shutdown(0)


def test_a_batch_is_bounded_in_spans_and_bytes(sink: Sink) -> None:
    telemetry = spandeck.configure(sink.endpoint, limits=Limits(batch_spans=4, interval_s=DEADLINE_S))
    record(telemetry, 10)
    assert telemetry.shutdown(DEADLINE_S)
    assert (len(sink.spans), len(sink.requests)) == (10, 3)


def test_shutdown_gives_up_at_once_when_nobody_listens() -> None:
    telemetry = spandeck.configure(f"http://127.0.0.1:{unused_port()}", limits=QUICK)
    record(telemetry, 4)
    closing = threading.Thread(target=telemetry.shutdown, args=(100 * DEADLINE_S,), daemon=True)
    closing.start()
    closing.join(DEADLINE_S)
    assert not closing.is_alive()
    assert telemetry.dropped == {"unreachable": 4}


def test_an_endless_answer_is_cut(sink: Sink) -> None:
    """The client reads at most 64 KiB of an answer, however much the other end sends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        cut = threading.Event()

        def pour() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                try:
                    while True:
                        connection.sendall(bytes(65_536))
                except OSError:
                    cut.set()

        threading.Thread(target=pour, daemon=True).start()
        telemetry = spandeck.configure(f"http://127.0.0.1:{server.getsockname()[1]}", limits=QUICK)
        record(telemetry)
        assert telemetry.flush(DEADLINE_S)
        assert cut.wait(DEADLINE_S)
        telemetry.shutdown(0)


def test_text_that_utf8_cannot_carry_is_replaced(telemetry: Telemetry, sink: Sink) -> None:
    def fail() -> None:
        with telemetry.request("\ud800gent", attributes={"k\udfff": "v\ud800"}):
            raise RuntimeError("bad \ud800")

    with pytest.raises(RuntimeError):
        fail()
    assert telemetry.flush()
    span = sink.span("invoke_agent ?gent")
    assert (span.message, span.attributes["k?"]) == ("bad ?", "v?")


def test_an_exception_that_cannot_be_shown_still_passes(telemetry: Telemetry, sink: Sink) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    error = MuteError()

    def fail() -> None:
        with telemetry.request("a"):
            raise error

    with pytest.raises(MuteError) as caught:
        fail()
    assert caught.value is error
    assert telemetry.flush()
    assert sink.span("invoke_agent a").attributes["error.type"].endswith("MuteError")


def test_values_that_are_no_attributes_never_raise(telemetry: Telemetry, sink: Sink) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    with telemetry.request("a", attributes={"big": 2**70, "list": [1, "x"], "none": None}) as req:
        req.set_attribute("hostile", Hostile())
        req.tool_call_done("t", duration_ms=float("nan"))
        req.response(finish_reasons=7)  # type: ignore[arg-type]
        req.set_attribute("kept", 1.5)
    req.usage(input_tokens=1)
    assert telemetry.flush()
    attributes = sink.span("invoke_agent a").attributes
    assert (attributes["big"], attributes["list"], attributes["kept"]) == (str(2**70), ("1", "x"), 1.5)
    assert not {"hostile", "none", "gen_ai.usage.input_tokens"} & attributes.keys()
