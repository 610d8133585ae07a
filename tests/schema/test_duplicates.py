"""One real call told by several spans counts once, and real calls that look alike stay apart."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from . import otlp
from .sandbox import Sandbox
from .scene import Scene, Words

pytestmark = pytest.mark.integration

SDK = "com.anthropic.sdk.python"
OTEL = "opentelemetry.instrumentation.genai.anthropic"
OPENINFERENCE = "openinference.instrumentation.anthropic"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for the whole module."""
    result = Sandbox(tmp_path_factory.mktemp("duplicates"))
    yield result
    result.connection.close()


@pytest.fixture
def scene(shared: Sandbox) -> Scene:
    """Traces that no other test sees."""
    return Scene(shared, next(NUMBERS))


def call(number: int, scope: str, response_id: str | None = None, **words: Any) -> Words:
    """A model call in the names of OpenTelemetry."""
    facts: Words = {"operation.name": "chat", "request.model": "acme-1", "provider.name": "acme"}
    facts |= {"usage.input_tokens": words.pop("tokens", 100), "usage.output_tokens": 20}
    attributes = {f"gen_ai.{name}": value for name, value in facts.items()} | words.pop("attributes", {})
    if response_id:
        attributes["gen_ai.response.id"] = response_id
    return {"id": number, "scope": scope, "attributes": attributes} | words


def openinference(number: int, **words: Any) -> Words:
    """The same call as OpenInference tells it: without the id of the response."""
    usage = {"llm.token_count.prompt": 100, "llm.token_count.completion": 20}
    attributes = {"openinference.span.kind": "LLM", "llm.model_name": "acme-1"} | usage
    return {"id": number, "scope": OPENINFERENCE, "attributes": attributes} | words


def test_the_same_response_in_another_trace_is_one_call_if_it_began_within_two_seconds(scene: Scene) -> None:
    scene.take(call(1, OTEL, "r"), call(2, SDK, "r", trace=2, at_ms=2000))
    assert scene.total("llm_call_count") == 1
    assert scene.total("input_tokens") == 100
    reasons = scene.rows("store.calls", "counted", "reason", "duplicate_of")
    assert reasons == [(False, "same_response", otlp.span_id(2)), (True, "leaf", None)]


def test_the_same_response_later_than_two_seconds_is_another_call(scene: Scene) -> None:
    scene.take(call(1, OTEL, "r"), call(2, SDK, "r", trace=2, at_ms=2001))
    assert scene.total("llm_call_count") == 2


def test_the_same_response_of_one_instrumentation_is_two_calls(scene: Scene) -> None:
    scene.take(call(1, OTEL, "r"), call(2, OTEL, "r"))
    assert scene.total("llm_call_count") == 2


def test_a_gateway_that_tells_the_response_of_its_caller_makes_no_second_call(scene: Scene) -> None:
    scene.take(call(1, OTEL, "r", parent=9), call(2, "litellm", "r", trace=2, service="gateway", at_ms=10, ms=60))
    assert scene.rows("llm_calls", "span_id") == [(otlp.span_id(1),)]


def test_of_calls_with_one_id_each_is_the_twin_of_the_nearest(scene: Scene) -> None:
    told = (call(n + 1, (OTEL, SDK)[n % 2], "r", trace=n % 2 + 1, at_ms=n // 2 * 100 + n % 2 * 7) for n in range(200))
    scene.take(*told)
    twins = scene.rows("store.calls", "counted", "duplicate_of")
    assert sum(counted for counted, _ in twins) == 100


def test_an_id_that_very_many_scopes_tell_is_no_id(scene: Scene) -> None:
    scene.take(*(call(n, f"scope-{n}", "constant", tokens=n, trace=n) for n in range(1, 10)))
    assert [counted for (counted,) in scene.rows("store.calls", "counted")] == [True] * 9


def test_a_twin_that_comes_in_a_later_batch_is_found(scene: Scene) -> None:
    scene.take(call(1, OTEL, "r", parent=9))
    scene.take(call(2, SDK, "r", trace=2))
    assert scene.rows("llm_calls", "span_id") == [(otlp.span_id(1),)]


def test_without_ids_calls_of_one_model_and_size_at_one_time_are_one(scene: Scene) -> None:
    scene.take(openinference(1, ms=100), call(2, SDK, "r", trace=2, at_ms=2, ms=95))
    assert scene.total("llm_call_count") == 1
    reasons = sorted(scene.rows("store.calls", "counted", "reason"))
    assert reasons == [(False, "same_call"), (True, "leaf")]


@pytest.mark.parametrize(
    "other",
    [
        call(2, SDK, trace=2, at_ms=30),
        call(2, SDK, trace=2, tokens=101),
        call(2, SDK, trace=2, attributes={"gen_ai.request.model": "acme-dear"}),
        call(2, SDK, trace=2, service="another"),
        call(2, OPENINFERENCE, trace=2),
    ],
    ids=["less overlap", "other tokens", "another model", "another service", "one instrumentation"],
)
def test_calls_that_differ_are_two(other: Words, scene: Scene) -> None:
    scene.take(openinference(1), other)
    assert scene.total("llm_call_count") == 2


def test_calls_with_ids_of_their_own_are_never_one(scene: Scene) -> None:
    scene.take(call(1, OTEL, "r1"), call(2, SDK, "r2", trace=2))
    assert scene.total("llm_call_count") == 2


def test_parallel_calls_stay_apart_even_where_two_instrumentations_tell_each(scene: Scene) -> None:
    """Three calls within milliseconds, equal in all but their answers: each finds its own twin, and none is lost."""
    scene.take(
        *(openinference(number, parent=9, at_ms=4 * number) for number in (1, 2, 3)),
        *(call(4, SDK, f"r{number}", trace=1 + number, at_ms=4 * number + 1, ms=98) for number in (1, 2, 3)),
    )
    assert scene.total("llm_call_count") == 3
    assert scene.total("input_tokens") == 300


def test_calls_of_the_very_same_times_pair_by_their_tokens_first(scene: Scene) -> None:
    sizes = {OTEL: (200, 100, 100), SDK: (100, 100, 200)}
    told = [(scope, tokens) for scope in sizes for tokens in sizes[scope]]
    scene.take(*(call(n, scope, tokens=tokens) for n, (scope, tokens) in enumerate(told, start=1)))
    assert (scene.total("llm_call_count"), scene.total("input_tokens")) == (3, 400)


def test_the_member_with_a_parent_keeps_the_place_and_learns_from_its_twin(scene: Scene) -> None:
    """OpenInference's stream has agent and session, the SDK's own span the first token and the response."""
    agent = {"id": 9, "scope": OPENINFERENCE, "ms": 300, "name": "writer.run"}
    agent |= {"attributes": {"openinference.span.kind": "AGENT", "session.id": "s"}}
    first_token = {"gen_ai.response.time_to_first_chunk": 0.05, "gen_ai.response.finish_reasons": ["end_turn"]}
    scene.take(agent, openinference(1, parent=9), call(2, SDK, "r", trace=2, attributes=first_token))
    columns = ("span_id", "agent_name", "session_id", "time_to_first_token_ms", "streamed", "finish_reason")
    assert scene.rows("llm_calls", *columns) == [(otlp.span_id(1), "writer", "s", 50, True, "stop")]
    assert ("r", SDK) in scene.rows("store.calls", "response_id", "usage_scope")
    assert scene.rows("traces", "llm_call_count", "input_tokens") == [(1, 100), (0, None)]


def test_of_nested_tellings_the_deepest_counts_and_they_know_together_what_each_knows(scene: Scene) -> None:
    outer = openinference(1) | {"ms": 120}
    scene.take(outer, call(2, SDK, "r", parent=1, attributes={"gen_ai.response.time_to_first_chunk": 0.05}))
    found = scene.rows("store.calls", "span_id", "counted", "reason", "duplicate_of")
    assert found == [
        (otlp.span_id(1), False, "call_below", otlp.span_id(2)),
        (otlp.span_id(2), True, "leaf", None),
    ]


def test_the_usage_of_an_instrumentation_that_is_trusted_more_is_taken(scene: Scene) -> None:
    """Traceloop counts a token too many of a stream; what the SDK read counts."""
    traceloop = "opentelemetry.instrumentation.anthropic"
    told = call(1, traceloop, "r", parent=9, tokens=105)
    scene.take(told, call(2, SDK, "r", trace=2, tokens=100))
    assert scene.rows("llm_calls", "span_id", "input_tokens") == [(otlp.span_id(1), 100)]
    assert scene.rows("store.spans", "input_tokens") == [(105,), (100,)]


def test_a_pending_span_is_no_call(scene: Scene) -> None:
    pending = {"logfire.span_type": "pending_span", "gen_ai.operation.name": "chat", "gen_ai.request.model": "acme-1"}
    scene.take({"id": 1, "parent": 2, "ms": 0, "scope": "pydantic-ai", "attributes": pending}, call(2, "pydantic-ai"))
    assert scene.rows("llm_calls", "span_id") == [(otlp.span_id(2),)]


def test_a_constant_id_of_two_services_and_models_is_two_calls(scene: Scene) -> None:
    other = call(2, SDK, "chatcmpl-123", trace=2, at_ms=500, service="other", tokens=7)
    scene.take(call(1, OTEL, "chatcmpl-123"), other)
    assert scene.total("llm_call_count") == 2


def alike(number: int, scope: str, at_ms: float, ms: float) -> Words:
    """A call without an id in a trace of its own, equal to the others but for its scope and times."""
    return call(number, scope, trace=number, service="shop", at_ms=at_ms, ms=ms)


def test_a_late_twin_settles_all_that_overlap_in_a_chain(scene: Scene, shared: Sandbox) -> None:
    x, y, z = alike(1, OTEL, 0, 100), alike(2, SDK, 0, 20), alike(3, OTEL, 0, 20)
    scene.take(x, y, z)
    scene.take(alike(4, SDK, 90, 10))
    late = scene.total("llm_call_count")
    again = Scene(shared, next(NUMBERS))
    again.take(x, y, z, alike(4, SDK, 90, 10))
    assert late == again.total("llm_call_count") == 2


def test_parallel_calls_told_a_moment_apart_pair_one_by_one(scene: Scene) -> None:
    starts = [0, 0.6, 1.1, 1.9]
    scene.take(*(alike(1 + n, OTEL, at_ms, 80) for n, at_ms in enumerate(starts)))
    scene.take(*(alike(5 + n, SDK, at_ms + 0.9, 78) for n, at_ms in enumerate(starts)))
    assert scene.total("llm_call_count") == 4


def test_two_parallel_calls_of_which_three_scopes_tell_stay_two(scene: Scene) -> None:
    calls = [(1, OTEL, 0), (2, OTEL, 3), (3, SDK, 1), (4, OPENINFERENCE, 2.2)]
    scene.take(*(alike(number, scope, at_ms, 100) for number, scope, at_ms in calls))
    assert scene.total("llm_call_count") == 2


def test_a_call_of_no_length_is_not_a_part_of_a_long_one(scene: Scene) -> None:
    scene.take(alike(1, OTEL, 0, 1000), alike(2, SDK, 500, 0))
    assert scene.total("llm_call_count") == 2
