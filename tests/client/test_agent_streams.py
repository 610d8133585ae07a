"""Streams of an agent: chunks as they come, redacted, never tried again after the first, cleaned up when closed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from spandeck import Agent, Fallback, ModelRequest, Retry, Telemetry

from . import model_answers as shapes
from .sink import Sink
from .test_retry import StatusError

pytestmark = pytest.mark.integration

AT_ONCE = Retry(attempts=3, base=0.0)


def test_the_text_of_a_stream_comes_in_pieces_with_its_usage(telemetry: Telemetry, sink: Sink) -> None:
    agent = Agent("desk", lambda req: iter(shapes.objects(shapes.MESSAGE_CHUNKS)), model="m")
    assert "".join(agent.stream("Where is it now?")) == "It is here."
    assert "".join(agent.stream("Where is it now?")) == "It is here."
    assert telemetry.flush()
    call = sink.span("chat m").attributes
    assert call["gen_ai.request.stream"] is True
    assert 0 <= call["gen_ai.response.time_to_first_chunk"] <= call["spandeck.response.time_to_last_chunk"]
    assert (call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"]) == (15, 9)
    roots = [span for span in sink.spans if span.name == "invoke_agent desk"]
    assert [(span.status, span.attributes["spandeck.cache.hit"]) for span in roots] == [("OK", False), ("OK", True)]


def test_a_stream_is_redacted_across_its_chunks(telemetry: Telemetry) -> None:
    chunks = ["Write to ada@exa", "mple.org or ", "call later", "."]
    agent = Agent("desk", lambda req: iter(chunks), cache=None)
    assert "".join(agent.stream("Whom do I ask?")) == "Write to [EMAIL] or call later."
    assert "".join(Agent("desk", lambda req: iter(chunks), guard=None).stream("Whom do I ask?")) == "".join(chunks)


def test_a_failure_before_the_first_token_is_tried_again(telemetry: Telemetry, sink: Sink) -> None:
    tries: list[int] = []

    def ask(request: ModelRequest) -> Iterator[str]:
        tries.append(1)
        if len(tries) == 1:
            raise StatusError(503)

        def chunks() -> Iterator[str]:
            if len(tries) == 2:
                raise StatusError(503)
            yield "fine"

        return chunks()

    assert list(Agent("desk", ask, retry=AT_ONCE).stream("hello there")) == ["fine"]
    assert len(tries) == 3


def test_after_the_first_token_nothing_is_tried_again_or_degraded(telemetry: Telemetry, sink: Sink) -> None:
    tries: list[int] = []

    def ask(request: ModelRequest) -> Iterator[str]:
        tries.append(1)
        yield "It is on its "
        raise StatusError(503)

    agent = Agent("desk", ask, model="m", retry=AT_ONCE, fallback=Fallback(canned="Sorry."))
    seen: list[str] = []
    with pytest.raises(StatusError):
        seen.extend(agent.stream("hello there"))
    assert len(tries) == 1
    assert telemetry.flush()
    assert (sink.span("chat m").status, sink.span("invoke_agent desk").status) == ("ERROR", "ERROR")


def test_a_canned_answer_is_streamed_where_nothing_was_said(telemetry: Telemetry) -> None:
    def ask(request: ModelRequest) -> Any:
        raise StatusError(503)

    agent = Agent("desk", ask, retry=Retry(attempts=1), fallback=Fallback(canned="Sorry."))
    assert list(agent.stream("hello there")) == ["Sorry."]


def test_a_stream_closed_early_closes_the_providers_and_is_recorded_as_cancelled(
    telemetry: Telemetry, sink: Sink
) -> None:
    closed: list[bool] = []

    def ask(request: ModelRequest) -> Iterator[str]:
        try:
            for word in ["one", "two", "three", "four", ""]:
                yield word + " and then "
        finally:
            closed.append(True)

    stream = Agent("desk", ask, model="m").stream("hello there")
    next(stream)
    stream.close()
    assert closed == [True]
    assert telemetry.flush()
    for name in ("invoke_agent desk", "chat m"):
        assert sink.span(name).attributes["spandeck.cancelled"] is True
        assert sink.span(name).status == "UNSET"


async def test_an_asynchronous_stream_is_alike(telemetry: Telemetry, sink: Sink) -> None:
    closed: list[bool] = []

    async def ask(request: ModelRequest) -> AsyncIterator[str]:
        async def chunks() -> AsyncIterator[str]:
            try:
                for word in ("It is ", "here ", "now."):
                    await asyncio.sleep(0)
                    yield word
            finally:
                closed.append(True)

        return chunks()

    agent = Agent("desk", ask, model="m", cache=None)
    assert "".join([chunk async for chunk in agent.astream("hello there")]) == "It is here now."
    early = agent.astream("hello there")
    await anext(early)
    await early.aclose()
    assert closed == [True, True]
    assert telemetry.flush()
    cancelled = [span.attributes.get("spandeck.cancelled") for span in sink.spans if span.name == "invoke_agent desk"]
    assert cancelled == [None, True]


def test_an_error_thrown_in_by_the_reader_is_the_outcome_also_of_a_cached_answer(
    telemetry: Telemetry, sink: Sink
) -> None:
    agent = Agent("desk", lambda req: iter(["It is here ", "now."]), retry=AT_ONCE)
    for _ in range(2):
        stream = agent.stream("Where is it now?")
        next(stream)
        error = ValueError("the reader's")
        with pytest.raises(ValueError, match="the reader's") as caught:
            stream.throw(error)
        assert caught.value is error
        assert "".join(agent.stream("Where is it now?")) == "It is here now."
    assert telemetry.flush()
    statuses = [span.status for span in sink.spans if span.name == "invoke_agent desk"]
    assert statuses == ["ERROR", "OK", "ERROR", "OK"]


def test_chunks_that_are_no_text_come_as_they_are(telemetry: Telemetry) -> None:
    rows = [{"row": 1}, {"row": 2}]
    assert list(Agent("desk", lambda req: iter(rows)).stream("hello there")) == rows
