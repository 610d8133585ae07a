"""Compression: shorter and never longer, in a fixed order, with JSON and fenced code kept whole."""

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck import Compressed, compress
from spandeck.optimizer.lossless import lossless
from spandeck.optimizer.segments import segments
from spandeck.optimizer.selection import GAP, select

pytestmark = pytest.mark.unit

REPEATABLE = settings(deadline=None, derandomize=True)

NEEDLE = "The spare key of the boathouse hangs behind the blue barometer."


def haystack(sentences: int = 120, needle: str = NEEDLE) -> str:
    source = random.Random(5)
    nouns = ["harbour", "ledger", "window", "market", "lantern", "orchard", "bridge", "teacher", "engine", "kettle"]
    lines = [
        f"The {source.choice(nouns)} of section {n} was painted before the {source.choice(nouns)} came."
        for n in range(sentences)
    ]
    lines.insert(sentences * 2 // 3, needle)
    return " ".join(lines)


def test_nothing_changes_up_to_4000_characters() -> None:
    text = ("a b  \n\n\n\n" * 1_000)[:4_000]
    assert compress(text, "a") == Compressed(text, before=4_000, after=4_000)


def test_without_a_query_nothing_is_left_out() -> None:
    text = haystack()
    done = compress(text)
    assert done.text == text
    assert not done.lossy
    assert done.after > 4_000


def test_with_a_query_the_sentence_that_it_asks_about_stays_and_the_limit_holds() -> None:
    text = haystack()
    done = compress(text, "Where is the key of the boathouse?", limit=len(text) // 4)
    assert NEEDLE in done.text
    assert done.after == len(done.text) <= len(text) // 4
    assert done.methods == ("selection",)
    assert done.lossy


def test_losslessly_is_enough_where_white_space_is_the_trouble() -> None:
    rows = [{"id": number, "name": f"row {number}"} for number in range(100)]
    text = "Rows:   \n\n\n\n" + json.dumps(rows, indent=8)
    done = compress(text, "row", limit=4_500)
    assert done.methods == ("lossless",)
    assert not done.lossy
    assert json.loads(done.text.removeprefix("Rows:\n\n")) == rows


def test_numbers_and_keys_of_json_stay_as_they_were_written() -> None:
    text = '{ "a" : 1.10e+2 ,  "a" : [ 0.30000000000000000001 ], "b" : " two  spaces \\" : , " }'
    assert lossless(text) == '{"a":1.10e+2,"a":[0.30000000000000000001],"b":" two  spaces \\" : , "}'


def test_a_fence_is_kept_to_the_letter() -> None:
    fence = '```json\n{ "a" :   1 }   \n\n\n\nx\n```\n'
    assert lossless(f"before  \n{fence}after  \n") == f"before\n{fence}after\n"


def test_a_paragraph_that_stands_twice_is_named_the_second_time() -> None:
    paragraph = "The lamp of the north tower burns " + "very " * 40 + "long."
    short = lossless(f"{paragraph}\n\nBetween.\n\n{paragraph}\n\nEnd.")
    assert short.count(paragraph) == 1
    assert short.endswith(f'Between.\n\n[repeats: "{paragraph[:60]}"]\n\nEnd.')


def test_long_json_and_code_are_kept_whole_or_left_out_whole() -> None:
    code = "```python\n" + "".join(f"value_{n} = {n}\n" for n in range(40)) + "```\n"
    data = json.dumps({"barometer": list(range(200))})
    short = select(f"{haystack()}\n{code}\n{haystack(60, '')}\n{data}\nEnd.", "the boathouse key", 1_500)
    assert NEEDLE in short
    for part in segments(short):
        assert part.kind == "prose" or part.text in (code, data)


def test_json_that_is_all_there_is_comes_back_whole_though_it_is_too_long() -> None:
    data = json.dumps({"barometer": list(range(2_000))})
    done = compress(data, "barometer", limit=1_000)
    assert done.methods == ("lossless",)
    assert json.loads(done.text) == json.loads(data)


def test_text_that_only_looks_like_json_is_read_quickly_and_protected() -> None:
    text = "[" * 50_000
    assert "".join(segment.text for segment in segments(text)) == text
    assert compress(text, "x").text == text


TEXTS = st.lists(
    st.sampled_from(
        [
            "A sentence about lamps. ",
            "Is it? ",
            "\n\n\n\n",
            "   \n",
            '{"a": [1, 2,   {"b": "c  d"}]}',
            "```\ncode  {\n```\n",
            "```",
            "[1, 2, 3, 4, 5, 6]",
            "{",
            '"',
            "word " * 150,
            "é日本。",
        ]
    ),
    max_size=30,
).map("".join) | st.text(max_size=300)


@REPEATABLE
@given(TEXTS)
def test_segments_lose_nothing(text: str) -> None:
    assert "".join(segment.text for segment in segments(text)) == text


@REPEATABLE
@given(TEXTS)
def test_lossless_keeps_words_values_and_code(text: str) -> None:
    short = lossless(text)
    assert len(short) <= len(text)
    kept = [segment.text for segment in segments(text) if segment.kind == "fence"]
    assert all(fence in short for fence in kept)
    if "[repeats:" not in short:
        assert re.sub(r"\s+", "", short) == re.sub(r"\s+", "", text)


@REPEATABLE
@given(TEXTS, st.text(max_size=30), st.integers(1, 2_000))
def test_compression_is_never_longer_and_says_what_it_did(text: str, query: str, limit: int) -> None:
    done = compress(text, query, limit)
    assert done.after == len(done.text) <= done.before == len(text)
    assert (done.text != text) == bool(done.methods)
    assert done.lossy == ("selection" in done.methods)


@REPEATABLE
@given(TEXTS, st.integers(10, 2_000))
def test_selection_keeps_units_whole_in_their_order(text: str, limit: int) -> None:
    short = select(text, "lamps code", limit)
    assert short == text or len(short) <= limit
    position = 0
    for piece in short.split(GAP):
        position = text.index(piece, position) + len(piece)
    values = [segment.text for segment in segments(text) if segment.kind in ("json", "fence")]
    kept = [segment.text for segment in segments(short) if segment.kind == "json"]
    assert all(value in values for value in kept)


def openai_talk(turns: int, result: str) -> list[dict[str, Any]]:
    talk: list[dict[str, Any]] = [{"role": "system", "content": "Be kind.  \n\n\n\nAlways."}]
    for turn in range(turns):
        call = {"id": f"c{turn}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        talk += [
            {"role": "user", "content": f"Question {turn} about the boathouse key?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{turn}", "content": result},
            {"role": "assistant", "content": f"Answer {turn}."},
        ]
    return talk


def anthropic_talk(turns: int, result: str) -> list[dict[str, Any]]:
    talk: list[dict[str, Any]] = []
    for turn in range(turns):
        use = {"type": "tool_use", "id": f"c{turn}", "name": "look", "input": {}}
        told = {"type": "tool_result", "tool_use_id": f"c{turn}", "content": [{"type": "text", "text": result}]}
        talk += [
            {"role": "user", "content": [{"type": "text", "text": f"Question {turn} about the boathouse key?"}]},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [told]},
            {"role": "assistant", "content": f"Answer {turn}."},
        ]
    return talk


def calls_and_results(talk: list[Any]) -> tuple[list[str], list[str]]:
    text = json.dumps(talk)
    called = re.findall(r'"id": "(c\d+)"', text)
    answered = re.findall(r'"(?:tool_call_id|tool_use_id)": "(c\d+)"', text)
    return called, answered


@pytest.mark.parametrize("talk", [openai_talk(8, haystack(40)), anthropic_talk(8, haystack(40))])
def test_old_results_become_stubs_and_every_call_keeps_its_result(talk: list[dict[str, Any]]) -> None:
    before = json.dumps(talk)
    done = compress(talk, limit=20_000)
    called, answered = calls_and_results(done.messages)
    assert called == answered
    assert len(called) == 8
    assert done.methods == ("history",)
    assert json.dumps(done.messages).count("[tool result left out: ") == 4
    assert json.dumps(done.messages).count(NEEDLE) == 4
    assert json.dumps(talk) == before


@pytest.mark.parametrize("talk", [openai_talk(20, haystack(60)), anthropic_talk(20, haystack(60))])
def test_at_a_tight_limit_the_frame_stays_and_the_query_is_still_answered(talk: list[dict[str, Any]]) -> None:
    done = compress(talk, limit=6_000)
    called, answered = calls_and_results(done.messages)
    assert called == answered
    assert done.after <= 6_000
    assert done.methods == ("history", "selection")
    assert done.messages[: len(done.messages) - 16][0] == talk[0]
    text = json.dumps(done.messages)
    assert NEEDLE in text
    assert all(f"Question {turn}" in text for turn in (0, 16, 17, 18, 19))
    assert "Question 9" not in text


def test_the_words_of_people_and_instructions_are_never_cut() -> None:
    talk = [{"role": "system", "content": haystack()}, {"role": "user", "content": haystack()}]
    done = compress(talk, limit=1_000)
    assert done.messages == talk
    assert not done.lossy


def test_a_limit_out_of_range_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        compress("x", limit=0)
