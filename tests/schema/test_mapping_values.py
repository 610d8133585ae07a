"""Values arrive as numbers, texts, booleans, arrays and JSON: each column's type takes what it can."""

from collections.abc import Iterator
from typing import Any

import pytest

from spandeck_collector.journal import Signal

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
COUNTS: list[tuple[Any, int | None]] = [
    (120, 120),
    ("120", 120),
    (" 120 ", 120),
    (12.0, 12),
    ("12.0", 12),
    (0, 0),
    ("0", 0),
    (1_000_000_000_000, 1_000_000_000_000),
    (-1, None),
    ("-5", None),
    (9_000_000_000_000_000_000, None),
    (float("nan"), None),
    (float("inf"), None),
    ("NaN", None),
    ("1e400", None),
    ("many", None),
    ("", None),
    (True, None),
    ([1, 2], None),
    ({"a": 1}, None),
    (None, None),
]
TEXTS: list[tuple[Any, str | None]] = [
    ("s-1", "s-1"),
    ("  s-1 ", "s-1"),
    (17, "17"),
    ("", None),
    ("   ", None),
    (None, None),
    (True, "true"),
    (b"\x00\xff", "AP8="),
]
FLAGS: list[tuple[Any, bool | None]] = [
    (True, True),
    (False, False),
    ("True", True),
    ("False", False),
    ("true", True),
    ("1", True),
    (0, False),
    ("", None),
    ("perhaps", None),
    (2, None),
]
LISTS: list[tuple[Any, list[str] | None]] = [
    (["stop"], ["stop"]),
    (["stop", "length"], ["stop", "length"]),
    ('["stop", "tool_calls"]', ["stop", "tool_calls"]),
    (' ["stop"]', ["stop"]),
    ("stop", ["stop"]),
    ("", None),
    ([], None),
    ("[]", None),
    ("[oops", ["[oops"]),
]
SECONDS: list[tuple[Any, float | None]] = [
    (0.05, 50.0),
    ("0.05", 50.0),
    (0, 0.0),
    (0.1009, 100.9),
    (0.2, None),
    (-0.01, None),
    (float("nan"), None),
    ("soon", None),
]


def usage(
    told: int | None,
    read: int | None = None,
    write: int | None = None,
    output: int | None = None,
    total: int | None = None,
) -> dict[str, int]:
    """Usage attributes of those that are known."""
    counts = {"input_tokens": told, "cache_read.input_tokens": read, "cache_write.input_tokens": write}
    counts |= {"output_tokens": output, "total_tokens": total}
    return {f"gen_ai.usage.{name}": count for name, count in counts.items() if count is not None}


OTEL = "opentelemetry.instrumentation.genai.openai"
CACHED: list[tuple[str, dict[str, int], int | None, str | None]] = [
    (OTEL, usage(100, 40), 100, "inclusive"),
    (OTEL, usage(100, 60, 40), 100, "inclusive"),
    (OTEL, usage(100, 60, 41), 201, "added"),
    (OTEL, usage(3, 2000), 2003, "added"),
    (OTEL, usage(100), 100, "inclusive"),
    (OTEL, usage(None, 40), None, None),
    (OTEL, usage(0, 0, 0), 0, "inclusive"),
    (OTEL, usage(100, 30, 20, 5, 155), 150, "added"),
    (OTEL, usage(100, 30, None, 5, 105), 100, "inclusive"),
    (OTEL, usage(100, 30, None, 5, 120), 100, "inclusive"),
    (OTEL, usage(100, 30, None, None, 130), 130, "added"),
    ("openlit.instrumentation.anthropic", usage(100, 30), 130, "added"),
    ("openlit.instrumentation.openai", usage(100, 30), 100, "inclusive"),
    ("shop", usage(100, 30), 100, "unknown"),
    ("shop", usage(100, 30, None, 5, 135), 130, "added"),
    ("shop", usage(100, 101), 201, "added"),
    ("shop", usage(100), 100, "inclusive"),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for the whole module: each test looks at traces of its own."""
    result = Sandbox(tmp_path_factory.mktemp("mapping"))
    yield result
    result.connection.close()


def column_of(sandbox: Sandbox, trace: int, column: str, spans: list[dict[str, Any]]) -> list[Any]:
    """`column` of these attribute sets, stored in one request."""
    sandbox.spans(*({"trace": trace, "id": n, "attributes": words} for n, words in enumerate(spans, start=1)))
    rows = sandbox.rows(f"select {column} from spans where trace_id = ? order by span_id", [otlp.trace_id(trace)])
    return [row[column] for row in rows]


def test_counts_are_whole_numbers_from_any_type_and_nothing_else(sandbox: Sandbox) -> None:
    spans = [CHAT | {"gen_ai.usage.input_tokens": value} for value, _ in COUNTS]
    assert column_of(sandbox, 2, "input_tokens", spans) == [count for _, count in COUNTS]


def test_empty_texts_are_unknown(sandbox: Sandbox) -> None:
    spans = [{"user.id": value} for value, _ in TEXTS]
    assert column_of(sandbox, 3, "user_id", spans) == [text for _, text in TEXTS]


def test_a_blank_first_source_leaves_room_for_the_second_and_a_wrong_one_does_not(sandbox: Sandbox) -> None:
    """A count that cannot be is unknown: another attribute of the span may mean something else."""
    sandbox.spans(
        {"trace": 4, "id": 1, "attributes": {"gen_ai.conversation.id": " ", "session.id": "s"}},
        {"trace": 4, "id": 2, "attributes": {"gen_ai.usage.input_tokens": "", "llm.token_count.prompt": 7}},
        {"trace": 4, "id": 3, "attributes": {"gen_ai.usage.input_tokens": -1, "llm.token_count.prompt": 7}},
    )
    rows = sandbox.rows("select * from store.spans where trace_id = ? order by span_id", [otlp.trace_id(4)])
    found = [(row["session_id"], row["input_tokens"]) for row in rows]
    assert found == [("s", None), (None, 7), (None, None)]


def test_flags_are_booleans_from_any_type(sandbox: Sandbox) -> None:
    spans = [{"llm.is_streaming": value} for value, _ in FLAGS]
    assert column_of(sandbox, 6, "streamed", spans) == [flag for _, flag in FLAGS]


def test_lists_come_as_arrays_as_json_or_as_one_word(sandbox: Sandbox) -> None:
    spans = [{"gen_ai.response.finish_reasons": value} for value, _ in LISTS]
    assert column_of(sandbox, 7, "finish_reasons", spans) == [words for _, words in LISTS]


def test_seconds_become_milliseconds_within_the_span(sandbox: Sandbox) -> None:
    """The spans take 100 ms: a first token later than that, or before the start, is no first token."""
    spans = [CHAT | {"gen_ai.response.time_to_first_chunk": value} for value, _ in SECONDS]
    found = column_of(sandbox, 8, "time_to_first_token_ms", spans)
    assert found == [None if ms is None else pytest.approx(ms) for _, ms in SECONDS]


def test_cached_tokens_are_added_where_the_input_cannot_include_them(sandbox: Sandbox) -> None:
    spans = [
        {"id": n, "trace": 10, "scope": scope, "attributes": usage} for n, (scope, usage, *_) in enumerate(CACHED, 1)
    ]
    sandbox.spans(*spans)
    rows = sandbox.rows("select * from spans where trace_id = ? order by span_id", [otlp.trace_id(10)])
    found = [(row["input_tokens"], row["usage_basis"]) for row in rows]
    assert found == [(tokens, basis) for _, _, tokens, basis in CACHED]


def test_clocks_that_go_wrong_are_flagged_and_give_no_duration(sandbox: Sandbox) -> None:
    sandbox.spans(
        {"trace": 13, "id": 1, "ms": -1},
        {"trace": 13, "id": 2, "ms": 0},
        {"trace": 13, "id": 3, "at_ms": 3_600_000},
    )
    skewed = otlp.span({"trace": 13, "id": 4})
    skewed.end_time_unix_nano = skewed.start_time_unix_nano - 1
    sandbox.take((Signal.TRACES, otlp.trace_of(skewed)))
    rows = sandbox.rows("select duration_ms, flags from spans where trace_id = ? order by span_id", [otlp.trace_id(13)])
    found = [(row["duration_ms"], row["flags"]) for row in rows]
    assert found == [(None, ["incomplete"]), (0, []), (100, ["future"]), (None, ["clock_skew"])]


def test_a_span_is_not_its_own_parent_and_zeros_are_no_parent(sandbox: Sandbox) -> None:
    zeros = otlp.span({"trace": 14, "id": 1})
    zeros.parent_span_id = bytes(8)
    sandbox.take((Signal.TRACES, otlp.trace_of(zeros)))
    sandbox.spans({"trace": 14, "id": 2, "parent": 2})
    rows = sandbox.rows("select parent_span_id from spans where trace_id = ?", [otlp.trace_id(14)])
    assert [row["parent_span_id"] for row in rows] == [None, None]


def test_a_text_too_long_for_an_object_of_usage_is_not_looked_into(sandbox: Sandbox) -> None:
    usage = '{"prompt_tokens": 7, "more": "%s"}'
    name = "langfuse.observation.usage_details"
    lengths = (65_536, 65_537)
    texts = [usage % ("x" * (length - len(usage) + len("%s"))) for length in lengths]
    assert [len(text) for text in texts] == list(lengths)
    assert column_of(sandbox, 15, "input_tokens", [{name: text} for text in texts]) == [7, None]
