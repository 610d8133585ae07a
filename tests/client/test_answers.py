"""Answers and streams of the OpenAI and Anthropic SDKs tell their own usage, whether objects or dicts."""

from collections.abc import Callable
from typing import Any

import pytest

from spandeck import Telemetry, Usage, answers
from spandeck.answers import Answer

from . import model_answers as shapes
from .sink import Sink

SHAPES = pytest.mark.parametrize("shaped", [dict, shapes.objects], ids=["dicts", "objects"])
Shaped = Callable[[Any], Any]


@pytest.mark.unit
@SHAPES
def test_a_chat_completion_is_read(shaped: Shaped) -> None:
    assert answers.read(shaped(shapes.CHAT)) == Answer(
        "It is on its way.", "gpt-5.2-2026-01-01", "chatcmpl-1", ("stop",), Usage(90, 12, 40, None, 5)
    )


@pytest.mark.unit
@SHAPES
def test_a_response_is_read(shaped: Shaped) -> None:
    assert answers.read(shaped(shapes.RESPONSE)) == Answer(
        "It is here.", "gpt-5.2", "resp_1", ("completed",), Usage(20, 8, 4, None, 6)
    )


@pytest.mark.unit
@SHAPES
def test_the_input_of_a_message_includes_what_the_cache_read_and_wrote(shaped: Shaped) -> None:
    assert answers.read(shaped(shapes.MESSAGE)) == Answer(
        "It is on its way.", "claude-sonnet-4-5-20250929", "msg_1", ("end_turn",), Usage(130, 7, 100, 20)
    )


@pytest.mark.unit
@pytest.mark.parametrize(
    "odd", [None, 7, {}, {"choices": 3}, {"choices": [None]}, {"type": "message", "content": 5}, []]
)
def test_an_answer_of_another_kind_tells_nothing_and_raises_nothing(odd: object) -> None:
    assert answers.read(odd).usage == Usage()


@pytest.mark.unit
@SHAPES
@pytest.mark.parametrize(
    ("chunks", "expected", "content_chunks"),
    [
        (shapes.CHAT_CHUNKS, Answer("It is here.", "gpt-5.2", "c-1", ("stop",), Usage(9, 3)), [1, 2]),
        (
            shapes.RESPONSE_CHUNKS,
            Answer("It is here.", "gpt-5.2", "resp_1", ("completed",), Usage(20, 8, 4, None, 6)),
            [1, 2],
        ),
        (
            shapes.MESSAGE_CHUNKS,
            Answer("It is here.", "claude-sonnet-4-5", "msg_2", ("end_turn",), Usage(15, 9, 5)),
            [3, 4],
        ),
    ],
    ids=["chat", "responses", "messages"],
)
def test_a_stream_is_heard(
    shaped: Shaped, chunks: list[dict[str, Any]], expected: Answer, content_chunks: list[int]
) -> None:
    heard = Answer()
    with_content = [number for number, chunk in enumerate(chunks) if answers.hear(heard, shaped(chunk))]
    assert (heard, with_content) == (expected, content_chunks)


@pytest.mark.integration
def test_a_stream_records_usage_and_the_first_chunk_with_content(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("a") as req:
        call = req.llm_call("claude-sonnet-4-5")
        assert list(call.stream(shapes.MESSAGE_CHUNKS)) == shapes.MESSAGE_CHUNKS
        opening = req.llm_call("n")
        list(opening.stream(shapes.MESSAGE_CHUNKS[:3]))
    assert telemetry.flush()
    attributes = sink.span("chat claude-sonnet-4-5").attributes
    assert attributes["gen_ai.usage.input_tokens"] == 15
    assert attributes["gen_ai.usage.output_tokens"] == 9
    assert attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert attributes["spandeck.response.time_to_last_chunk"] >= attributes["gen_ai.response.time_to_first_chunk"]
    assert "gen_ai.response.time_to_first_chunk" not in sink.span("chat n").attributes


@pytest.mark.integration
def test_an_answer_is_recorded_as_it_tells_of_itself(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("a") as req, req.llm_call("m") as call:
        call.answer(shapes.objects(shapes.CHAT))
        call.answer(None)
    assert telemetry.flush()
    attributes = sink.span("chat m").attributes
    assert (attributes["gen_ai.response.model"], attributes["gen_ai.response.id"]) == (
        "gpt-5.2-2026-01-01",
        "chatcmpl-1",
    )
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 40
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 5
