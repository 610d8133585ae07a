"""Streams: chunks pass untouched, and the first and the last of them are timed."""

import threading
from collections.abc import AsyncIterator, Iterator

import pytest

import spandeck
from spandeck import Telemetry

from .sink import SeenSpan, Sink

pytestmark = pytest.mark.integration

FIRST = "gen_ai.response.time_to_first_chunk"
LAST = "spandeck.response.time_to_last_chunk"


def duration_s(span: SeenSpan) -> float:
    return (span.ended_ns - span.started_ns) / 1e9


def test_first_and_last_chunk_are_seconds_within_the_span(telemetry: Telemetry, sink: Sink) -> None:
    pause = threading.Event()

    def answer() -> Iterator[str]:
        for word in ("a", "b", "c"):
            pause.wait(0.02)
            yield word

    with spandeck.request("a") as req, req.llm_call("m") as call:
        assert list(call.stream(answer())) == ["a", "b", "c"]
        call.usage(output_tokens=3)
    assert telemetry.flush()
    span = sink.span("chat m")
    assert 0.02 <= span.attributes[FIRST] < span.attributes[LAST] <= duration_s(span)
    assert span.attributes["gen_ai.request.stream"] is True
    assert span.attributes["gen_ai.usage.output_tokens"] == 3


def test_only_the_first_mark_counts(telemetry: Telemetry, sink: Sink) -> None:
    with spandeck.request("a") as req, req.llm_call("m") as call:
        call.first_token()
        threading.Event().wait(0.02)
        call.first_token()
        call.last_token()
    assert telemetry.flush()
    span = sink.span("chat m")
    assert span.attributes[FIRST] + 0.02 <= span.attributes[LAST]


def test_a_stream_is_as_lazy_as_its_chunks(telemetry: Telemetry) -> None:
    taken: list[int] = []

    def answer() -> Iterator[int]:
        for number in range(3):
            taken.append(number)
            yield number

    with spandeck.request("a") as req, req.llm_call("m") as call:
        chunks = call.stream(answer())
        assert taken == []
        next(chunks)
        assert taken == [0]
        chunks.close()


def test_an_empty_stream_has_no_first_chunk(telemetry: Telemetry, sink: Sink) -> None:
    with spandeck.request("a") as req, req.llm_call("m") as call:
        assert list(call.stream([])) == []
    assert telemetry.flush()
    attributes = sink.span("chat m").attributes
    assert FIRST not in attributes
    assert LAST not in attributes


def test_outside_a_block_the_span_ends_with_the_stream(telemetry: Telemetry, sink: Sink) -> None:
    with spandeck.request("a") as req:
        chunks = req.llm_call("m").stream("xy")
        assert "".join(chunks) == "xy"
        assert telemetry.flush()
        assert sink.span("chat m").status == "UNSET"


def test_closing_early_closes_the_chunks_and_is_no_error(telemetry: Telemetry, sink: Sink) -> None:
    closed: list[bool] = []

    def answer() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.append(True)

    with spandeck.request("a") as req:
        chunks = req.llm_call("m").stream(answer())
        next(chunks)
        chunks.close()
    assert closed == [True]
    assert telemetry.flush()
    span = sink.span("chat m")
    assert (span.status, span.attributes["spandeck.cancelled"]) == ("UNSET", True)
    assert "error.type" not in span.attributes


def test_an_error_of_the_chunks_passes_and_is_recorded_once(telemetry: Telemetry, sink: Sink) -> None:
    error = ConnectionError("lost")

    def answer() -> Iterator[int]:
        yield 1
        raise error

    def read() -> None:
        with spandeck.request("a") as req, req.llm_call("m") as call:
            list(call.stream(answer()))

    with pytest.raises(ConnectionError) as caught:
        read()
    assert caught.value is error
    assert telemetry.flush()
    span = sink.span("chat m")
    assert (span.status, span.attributes["error.type"], len(span.events)) == ("ERROR", "ConnectionError", 1)
    assert FIRST in span.attributes


async def test_asynchronous_streams_are_timed_and_closed_alike(telemetry: Telemetry, sink: Sink) -> None:
    closed: list[bool] = []

    async def answer() -> AsyncIterator[int]:
        try:
            for number in range(10):
                yield number
        finally:
            closed.append(True)

    async with spandeck.request("a") as req:
        async with req.llm_call("whole") as call:
            assert [chunk async for chunk in call.astream(answer())] == list(range(10))
        chunks = req.llm_call("early").astream(answer())
        await anext(chunks)
        await chunks.aclose()
    assert closed == [True, True]
    assert telemetry.flush()
    whole, early = sink.span("chat whole"), sink.span("chat early")
    assert 0 <= whole.attributes[FIRST] <= whole.attributes[LAST] <= duration_s(whole)
    assert early.attributes["spandeck.cancelled"] is True
