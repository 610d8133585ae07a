"""Kinds, finish reasons, providers, agent names and first-token events: every word of `attributes.toml`."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from spandeck_schema.mapping import KindRule, load_mapping

from .mapped import Mapper, common_scope, like
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

MAPPING = load_mapping()


@pytest.fixture(scope="module")
def mapper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapper]:
    """One mapping for the whole module."""
    result = Mapper(tmp_path_factory.mktemp("words"))
    yield result
    result.connection.close()


def _saying(rule: KindRule, word: str) -> dict[str, Any]:
    """A span with this word where the rule looks for it."""
    scope = like(rule.scopes[0]) if rule.scopes else ""
    if rule.span_name:
        return {"scope": scope, "name": word, "attributes": {}}
    return {"scope": scope, "attributes": {rule.attribute: json.dumps(word) if rule.json else word}}


def test_every_kind_word_gives_its_kind_in_any_case(mapper: Mapper) -> None:
    told = [
        (spelled, kind, _saying(rule, spelled))
        for rule in MAPPING.kinds
        for word, kind in rule.values.items()
        for spelled in (like(word), like(word).upper(), f" {like(word).title()} ")
    ]
    rows = mapper([span for *_, span in told])
    assert [(word, row["kind"]) for (word, *_), row in zip(told, rows, strict=True)] == [
        (word, kind) for word, kind, _ in told
    ]


def test_of_two_kind_rules_the_first_in_the_file_wins(mapper: Mapper) -> None:
    pairs = [
        (first, second)
        for first, second in combinations(MAPPING.kinds, 2)
        if (first.attribute, first.span_name) != (second.attribute, second.span_name)
        and common_scope([first, second]) is not None
    ]
    spans, kinds = [], []
    for first, second in pairs:
        (word, kind), other = next(iter(first.values.items())), list(second.values)[-1]
        loser, winner = _saying(second, like(other)), _saying(first, like(word))
        both = {"attributes": loser["attributes"] | winner["attributes"], "scope": common_scope([first, second])}
        spans.append(loser | winner | both)
        kinds.append(kind)
    assert [row["kind"] for row in mapper(spans)] == kinds


def test_a_kind_rule_of_another_scope_or_with_an_unknown_word_is_silent(mapper: Mapper) -> None:
    spans = [
        {"scope": "elsewhere", **_saying(rule, "word of nobody")} for rule in MAPPING.kinds if "*" not in rule.values
    ]
    spans += [
        {**_saying(rule, like(next(iter(rule.values)))), "scope": "elsewhere"} for rule in MAPPING.kinds if rule.scopes
    ]
    assert {row["kind"] for row in mapper(spans)} == {None}


KINDS = [
    ({"openinference.span.kind": "TOOL", "gen_ai.operation.name": "chat"}, "tool"),
    ({"openinference.span.kind": "", "gen_ai.operation.name": "chat"}, "llm"),
    ({"traceloop.span.kind": "task", "gen_ai.operation.name": "chat"}, "llm"),
    ({"langsmith.span.kind": "prompt", "gen_ai.operation.name": "chat"}, "prompt"),
    ({"openinference.span.kind": ""}, "other"),
    ({"gen_ai.request.model": "m"}, "other"),
    ({"gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 1}, "llm"),
    ({"gen_ai.tool.name": "t"}, "tool"),
    ({"gen_ai.operation.name": "chat", "gen_ai.tool.name": "t"}, "llm"),
    ({"db.system": "chroma"}, "retriever"),
    ({"db.system": "postgresql"}, "other"),
    ({"db.system.name": "chroma"}, "retriever"),
    ({"db.system.name": "postgresql"}, "other"),
    ({}, "other"),
]


def test_kinds_of_spans_with_several_words_or_none(sandbox: Sandbox) -> None:
    sandbox.spans(*({"id": number, "attributes": words} for number, (words, _) in enumerate(KINDS, start=1)))
    found = [row["kind"] for row in sandbox.rows("select kind from spans order by span_id")]
    assert found == [kind for _, kind in KINDS]


def _answers(mapper: Mapper, macro: str, words: list[str]) -> list[Any]:
    values = ", ".join(f"({number}, ?)" for number in range(len(words)))
    rows = mapper.rows(f"select store.{macro}(word) as answer from (values {values}) as t (n, word) order by n", words)
    return [row["answer"] for row in rows]


@pytest.mark.parametrize(
    ("macro", "table"),
    [("finish_reason", "finish_reasons"), ("to_provider", "providers"), ("provider_of_model", "model_providers")],
)
def test_every_synonym_gives_its_word(macro: str, table: str, mapper: Mapper) -> None:
    told = [
        (like(other, star), word) for word, others in MAPPING.words[table].items() for other in others for star in "x9"
    ]
    told += [(other.upper(), word) for other, word in told]
    if macro != "provider_of_model":
        told += [(word, word) for word in MAPPING.words[table]]
    found = _answers(mapper, macro, [other for other, _ in told])
    assert list(zip((other for other, _ in told), found, strict=True)) == told


PROVIDERS = [
    ("openai.responses", "openai"),
    ("anthropic.messages", "anthropic"),
    ("acme.chat", "acme"),
    ("aws.bedrock", "aws.bedrock"),
    ("Acme.Cloud", "acme.cloud"),
    ("azure.ai.openai", "azure.ai.openai"),
    ("google.generative-ai", "gcp.gemini"),
    ("google.vertex.chat", "gcp.vertex_ai"),
    (" ", None),
]


def test_a_provider_is_a_lower_case_name_without_the_name_of_its_api(mapper: Mapper) -> None:
    assert _answers(mapper, "to_provider", [told for told, _ in PROVIDERS]) == [provider for _, provider in PROVIDERS]


def test_a_framework_is_no_provider_and_the_model_names_one(sandbox: Sandbox) -> None:
    frameworks = [*MAPPING.framework_names, "InMemoryVectorStore", "Strands-Agents", ""]
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5"}
    sandbox.spans(
        *({"id": n, "attributes": attributes | {"gen_ai.system": name}} for n, name in enumerate(frameworks, start=1))
    )
    assert {row["provider"] for row in sandbox.rows("select provider from spans")} == {"anthropic"}


AGENTS = {
    "invoke_agent writer": "writer",
    "create_agent writer": "writer",
    "agent_run [writer]": "writer",
    "writer.run": "writer",
    "writer.agent": "writer",
    "invoke_agent writer.workflow": "writer",
    "Writer._execute_core": "Writer",
    "writer.research_task.execute": "writer",
    "writer": "writer",
    "invoke_agent ": None,
}


def test_an_agent_without_a_name_is_called_as_its_span_without_the_framework_words(mapper: Mapper) -> None:
    assert _answers(mapper, "agent_of_span", list(AGENTS)) == list(AGENTS.values())


CHAT = {"gen_ai.operation.name": "chat"}


def test_every_first_token_event_tells_the_first_token(sandbox: Sandbox) -> None:
    events = [[{"name": name, "at_ms": at_ms} for at_ms in (70, 30)] for name in MAPPING.first_token_events]
    sandbox.spans(*({"id": n, "attributes": CHAT, "events": told} for n, told in enumerate(events, start=1)))
    found = [row["time_to_first_token_ms"] for row in sandbox.rows("select time_to_first_token_ms from spans")]
    assert found == [30] * len(events)


def test_of_many_chunk_events_one_is_kept(sandbox: Sandbox) -> None:
    """Emitters send an event a chunk; the first tells the first token, the others nothing."""
    for pattern in MAPPING.chunk_events:
        assert _answers_of(sandbox, like(pattern, "7"))
    assert not _answers_of(sandbox, "exception")
    chunk = like(MAPPING.chunk_events[0], "7")
    told = [(chunk, 40), ("exception", 50), (chunk, 20), (chunk, 60), ("exception", 60)]
    sandbox.spans({"id": 1, "attributes": CHAT, "events": [{"name": name, "at_ms": at_ms} for name, at_ms in told]})
    rows = sandbox.rows("select name from span_events order by occurred_at")
    assert [row["name"] for row in rows] == [chunk, "exception", "exception"]


def _answers_of(sandbox: Sandbox, event_name: str) -> bool:
    answer = sandbox.row("select store.is_chunk(?) as chunk", [event_name])["chunk"]
    assert isinstance(answer, bool)
    return answer


def test_a_first_token_event_tells_only_where_no_attribute_does(sandbox: Sandbox) -> None:
    name = MAPPING.first_token_events[0]
    events = [{"name": name, "at_ms": 70}, {"name": name, "at_ms": 30}]
    stated = CHAT | {"gen_ai.response.time_to_first_chunk": 0.02}
    sandbox.spans(
        {"id": 1, "attributes": CHAT, "events": events},
        {"id": 2, "attributes": stated, "events": events},
        {"id": 3, "attributes": CHAT, "events": [{"name": name, "at_ms": 5000}]},
    )
    rows = sandbox.rows("select * from llm_calls order by span_id")
    assert [row["time_to_first_token_ms"] for row in rows] == [30, 20, None]
    assert [row["streamed"] for row in rows] == [True, True, None]
