"""Every attribute that `attributes.toml` names reaches its column, in the file's order, whatever type it came in."""

from collections.abc import Iterator
from typing import Any

import pytest

from spandeck_collector.journal import Signal
from spandeck_schema.mapping import Source, load_mapping, mapped_spans

from . import otlp
from .sandbox import Sandbox

MAPPING = load_mapping()
SOURCES = [(column, index) for column, sources in MAPPING.sources.items() for index in range(len(sources))]
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
TOOL = {"gen_ai.operation.name": "execute_tool"}
STORED_AS = {"tool_input": "tool_input_hash"}
BESIDE: dict[str, dict[str, Any]] = {
    "tool_name": {"openinference.span.kind": "TOOL"},
    "tool_input": TOOL,
    "error_message": {"error.type": "x"},
    "time_to_last_token_ms": CHAT,
}

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
KINDS: list[tuple[dict[str, Any], str]] = [
    ({attribute: spelled}, kind)
    for attribute, values in MAPPING.kinds
    for value, kind in values.items()
    for spelled in (value, value.upper(), f" {value.title()} ")
]
KINDS += [
    ({"openinference.span.kind": "TOOL", "gen_ai.operation.name": "chat"}, "tool"),
    ({"openinference.span.kind": "UNKNOWN", "gen_ai.operation.name": "chat"}, "llm"),
    ({"openinference.span.kind": ""}, "other"),
    ({"gen_ai.request.model": "m"}, "other"),
    ({"gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 1}, "llm"),
    ({"gen_ai.tool.name": "t"}, "tool"),
    ({"gen_ai.operation.name": "chat", "gen_ai.tool.name": "t"}, "llm"),
    ({}, "other"),
]
CACHED: list[tuple[int | None, int | None, int | None, int | None, str | None]] = [
    (100, 40, None, 100, "inclusive"),
    (100, 60, 40, 100, "inclusive"),
    (100, 60, 41, 201, "added"),
    (3, 2000, None, 2003, "added"),
    (100, None, None, 100, "inclusive"),
    (None, 40, None, None, None),
    (0, 0, 0, 0, "inclusive"),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for the whole module: each test looks at traces of its own."""
    result = Sandbox(tmp_path_factory.mktemp("mapping"))
    yield result
    result.connection.close()


@pytest.fixture(scope="module")
def by_source(sandbox: Sandbox) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Rows of spans that hold the sources of a column from `first` to `last`."""
    spans, keys = [], []
    for column, first in SOURCES:
        for last in (first, len(MAPPING.sources[column]) - 1):
            keys.append((column, first, last))
            spans.append(span_with(len(keys), column, first, last))
    sandbox.spans(*spans)
    rows = sandbox.rows("select * from store.spans where trace_id = ?", [otlp.trace_id(1)])
    by_id = {row["span_id"]: row for row in rows}
    return {key: by_id[otlp.span_id(number)] for number, key in enumerate(keys, start=1)}


def span_with(number: int, column: str, first: int, last: int) -> dict[str, Any]:
    attributes = dict(BESIDE.get(column, {}))
    resource: dict[str, Any] = {}
    words: dict[str, Any] = {"id": number, "name": "n"}
    for index in range(first, last + 1):
        source = MAPPING.sources[column][index]
        (resource if source.in_resource else attributes)[source.attribute] = sent(column, index)
        if source.scopes:
            words["scope"] = source.scopes[0].replace("*", "x")
    return words | {"attributes": attributes, "resource": resource}


def sent(column: str, index: int) -> Any:
    """A value of the column's type, another one for every source."""
    return {
        "text": f"Text.{index}",
        "lower": f"WORD {index}",
        "count": 10 + index,
        "number": 0.01 + index / 1000,
        "flag": index % 2 == 0,
        "list": [f"reason_{index}"],
    }[MAPPING.types[column]]


def stored(column: str, index: int, source: Source) -> Any:
    value = sent(column, index)
    if MAPPING.types[column] == "lower":
        return value.lower()
    if column == "error_type":
        return value.rpartition(".")[2]
    if isinstance(value, str | list | bool):
        return value
    return value * (source.scale or 1) + (source.plus or 0)


@pytest.mark.integration
@pytest.mark.parametrize(("column", "index"), SOURCES, ids=str)
def test_a_source_alone_fills_its_column(
    column: str, index: int, by_source: dict[tuple[str, int, int], dict[str, Any]]
) -> None:
    cell = by_source[column, index, index][STORED_AS.get(column, column)]
    if column == "tool_input":
        assert cell is not None
    else:
        assert cell == pytest.approx(stored(column, index, MAPPING.sources[column][index]))


@pytest.mark.integration
@pytest.mark.parametrize(("column", "index"), SOURCES, ids=str)
def test_of_several_sources_the_first_in_the_file_wins(
    column: str, index: int, by_source: dict[tuple[str, int, int], dict[str, Any]]
) -> None:
    name = STORED_AS.get(column, column)
    alone = by_source[column, index, index]
    assert by_source[column, index, len(MAPPING.sources[column]) - 1][name] == pytest.approx(alone[name])


def column_of(sandbox: Sandbox, trace: int, column: str, spans: list[dict[str, Any]]) -> list[Any]:
    """`column` of these attribute sets, stored in one request."""
    sandbox.spans(*({"trace": trace, "id": n, "attributes": words} for n, words in enumerate(spans, start=1)))
    rows = sandbox.rows(f"select {column} from spans where trace_id = ? order by span_id", [otlp.trace_id(trace)])
    return [row[column] for row in rows]


@pytest.mark.integration
def test_counts_are_whole_numbers_from_any_type_and_nothing_else(sandbox: Sandbox) -> None:
    spans = [CHAT | {"gen_ai.usage.input_tokens": value} for value, _ in COUNTS]
    assert column_of(sandbox, 2, "input_tokens", spans) == [count for _, count in COUNTS]


@pytest.mark.integration
def test_empty_texts_are_unknown(sandbox: Sandbox) -> None:
    spans = [{"user.id": value} for value, _ in TEXTS]
    assert column_of(sandbox, 3, "user_id", spans) == [text for _, text in TEXTS]


@pytest.mark.integration
def test_an_empty_first_source_leaves_room_for_the_second(sandbox: Sandbox) -> None:
    spans = [{"gen_ai.conversation.id": "", "session.id": "s"}, {"gen_ai.usage.input_tokens": -1} | tokens(7)]
    assert column_of(sandbox, 4, "session_id", spans[:1]) == ["s"]
    assert column_of(sandbox, 5, "input_tokens", spans[1:]) == [7]


def tokens(count: int) -> dict[str, Any]:
    return {"llm.token_count.prompt": count}


@pytest.mark.integration
def test_flags_are_booleans_from_any_type(sandbox: Sandbox) -> None:
    spans = [{"llm.is_streaming": value} for value, _ in FLAGS]
    assert column_of(sandbox, 6, "streamed", spans) == [flag for _, flag in FLAGS]


@pytest.mark.integration
def test_lists_come_as_arrays_as_json_or_as_one_word(sandbox: Sandbox) -> None:
    spans = [{"gen_ai.response.finish_reasons": value} for value, _ in LISTS]
    assert column_of(sandbox, 7, "finish_reasons", spans) == [words for _, words in LISTS]


@pytest.mark.integration
def test_seconds_become_milliseconds_within_the_span(sandbox: Sandbox) -> None:
    """The spans take 100 ms: a first token later than that, or before the start, is no first token."""
    spans = [CHAT | {"gen_ai.response.time_to_first_chunk": value} for value, _ in SECONDS]
    found = column_of(sandbox, 8, "time_to_first_token_ms", spans)
    assert found == [None if ms is None else pytest.approx(ms) for _, ms in SECONDS]


@pytest.mark.integration
def test_kinds_are_found_in_any_case_and_in_order(sandbox: Sandbox) -> None:
    assert column_of(sandbox, 9, "kind", [attributes for attributes, _ in KINDS]) == [kind for _, kind in KINDS]


@pytest.mark.integration
def test_cached_tokens_are_added_where_the_input_cannot_include_them(sandbox: Sandbox) -> None:
    names = [f"gen_ai.usage.{name}" for name in ("input_tokens", "cache_read.input_tokens", "cache_write.input_tokens")]
    spans = [{name: value for name, value in zip(names, row[:3], strict=True) if value is not None} for row in CACHED]
    assert column_of(sandbox, 10, "input_tokens", spans) == [row[3] for row in CACHED]
    rows = sandbox.rows("select usage_basis from spans where trace_id = ? order by span_id", [otlp.trace_id(10)])
    assert [row["usage_basis"] for row in rows] == [row[4] for row in CACHED]


@pytest.mark.integration
@pytest.mark.parametrize("family", [family for family, scopes in MAPPING.families.items() if scopes])
def test_a_scope_names_the_family(family: str, sandbox: Sandbox) -> None:
    trace = 100 + list(MAPPING.families).index(family)
    scopes = [pattern.replace("*", "x") for pattern in MAPPING.families[family]]
    sandbox.spans(*({"trace": trace, "id": n, "scope": scope} for n, scope in enumerate(scopes, start=1)))
    rows = sandbox.rows("select family from spans where trace_id = ?", [otlp.trace_id(trace)])
    assert [row["family"] for row in rows] == [family] * len(scopes)


@pytest.mark.integration
def test_finish_reasons_of_calls_are_words_of_the_conventions(sandbox: Sandbox) -> None:
    words = [(word, reason) for reason, synonyms in MAPPING.finish_reasons.items() for word in synonyms]
    words += [(word.upper(), reason) for word, reason in words] + [("mystery", "mystery")]
    spans = [CHAT | {"gen_ai.response.finish_reasons": [word]} for word, _ in words]
    column_of(sandbox, 11, "kind", spans)
    rows = sandbox.rows("select finish_reason from llm_calls where trace_id = ? order by span_id", [otlp.trace_id(11)])
    assert [row["finish_reason"] for row in rows] == [reason for _, reason in words]


@pytest.mark.integration
def test_a_first_token_event_tells_only_where_no_attribute_does(sandbox: Sandbox) -> None:
    (name, *_) = MAPPING.first_token_events
    events = [{"name": name, "at_ms": 70}, {"name": name, "at_ms": 30}]
    stated = CHAT | {"gen_ai.response.time_to_first_chunk": 0.02}
    sandbox.spans(
        {"trace": 12, "id": 1, "attributes": CHAT, "events": events},
        {"trace": 12, "id": 2, "attributes": stated, "events": events},
        {"trace": 12, "id": 3, "attributes": CHAT, "events": [{"name": name, "at_ms": 5000}]},
    )
    rows = sandbox.rows("select * from llm_calls where trace_id = ? order by span_id", [otlp.trace_id(12)])
    assert [row["time_to_first_token_ms"] for row in rows] == [30, 20, None]
    assert [row["streamed"] for row in rows] == [True, True, None]


@pytest.mark.integration
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


@pytest.mark.integration
def test_a_span_is_not_its_own_parent_and_zeros_are_no_parent(sandbox: Sandbox) -> None:
    zeros = otlp.span({"trace": 14, "id": 1})
    zeros.parent_span_id = bytes(8)
    sandbox.take((Signal.TRACES, otlp.trace_of(zeros)))
    sandbox.spans({"trace": 14, "id": 2, "parent": 2})
    rows = sandbox.rows("select parent_span_id from spans where trace_id = ?", [otlp.trace_id(14)])
    assert [row["parent_span_id"] for row in rows] == [None, None]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[columns]\n[[dialects]]\nfamily = "x"\n[dialects.sources]\nnope = ["a"]', "'nope', which"),
        ('[columns]\na = "text"\n[[dialects]]\nfamily = "x"\n[dialects.sources]\na = [{ scale = 2.0 }]', "neither"),
    ],
)
def test_a_wrong_dialect_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_mapping(text)


ODD = r"""
[columns]
user_id = "text"
[[dialects]]
family = "odd"
scopes = ["a'b*"]
[dialects.sources]
user_id = [{ attribute = "it's \"odd\"", scopes = ["a'b*"] }]
[[kinds]]
attribute = "k'"
values = { "x'" = "tool" }
[finish_reasons]
[first_token]
events = []
"""
ODD_ROWS = """(
    select 1 as arrival, 'a''bc' as scope, 'u' as "it's ""odd""\", 'X''' as "k'"
    union all
    select 2, 'abc', 'u', null
)"""


@pytest.mark.integration
def test_a_new_dialect_is_data_and_its_names_are_quoted(sandbox: Sandbox) -> None:
    query = mapped_spans(load_mapping(ODD)).replace("incoming_spans", ODD_ROWS)
    found = [(row["user_id"], row["family"], row["kind"]) for row in sandbox.rows(query + " order by arrival")]
    assert found == [("u", "odd", "tool"), (None, "other", None)]
