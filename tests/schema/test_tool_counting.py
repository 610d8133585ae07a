"""Tool calls: each counts once, fails when it failed, and is told apart from a handoff."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from . import otlp
from .sandbox import Sandbox
from .scene import Scene, Words

pytestmark = pytest.mark.integration

CLAUDE_CODE = "com.anthropic.claude_code.tracing"
OPENINFERENCE = "openinference.instrumentation.langchain"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for the whole module."""
    result = Sandbox(tmp_path_factory.mktemp("tools"))
    yield result
    result.connection.close()


@pytest.fixture
def scene(shared: Sandbox) -> Scene:
    """Traces that no other test sees."""
    return Scene(shared, next(NUMBERS))


def tool(number: int, name: str = "search", call_id: str | None = None, **words: Any) -> Words:
    """A tool call in the names of OpenTelemetry."""
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
    if call_id:
        attributes["gen_ai.tool.call.id"] = call_id
    return {"id": number, "scope": "opentelemetry.instrumentation.genai.langchain", "attributes": attributes} | words


def mcp(number: int, method: str = "tools/call", **words: Any) -> Words:
    """A request over MCP."""
    attributes = {"mcp.method.name": method, "gen_ai.tool.name": "search"}
    return {"id": number, "scope": "mcp", "attributes": attributes} | words


def test_a_call_over_mcp_alone_is_a_tool_call(scene: Scene) -> None:
    scene.take(mcp(1), mcp(2, "tools/list"), mcp(3, "initialize"))
    assert scene.total("tool_call_count") == 1
    assert {kind for (kind,) in scene.rows("spans", "kind")} == {"mcp"}


def test_a_call_over_mcp_below_a_tool_of_the_same_name_is_that_call(scene: Scene) -> None:
    scene.take(tool(1), mcp(2, parent=1), tool(3, "lookup"), mcp(4, parent=3))
    rows = scene.rows("store.calls", "span_id", "counted", "reason", "duplicate_of")
    assert rows == [
        (otlp.span_id(1), True, "leaf", None),
        (otlp.span_id(2), False, "same_tool_call", otlp.span_id(1)),
        (otlp.span_id(3), True, "leaf", None),
        (otlp.span_id(4), True, "leaf", None),
    ]


def tool_of_openinference(number: int, call_id: str | None = None, **words: Any) -> Words:
    """A call of the tool `search` in the names of OpenInference, which is trusted less."""
    attributes = {"openinference.span.kind": "TOOL", "tool.name": "search"}
    if call_id:
        attributes["tool_call.id"] = call_id
    return {"id": number, "scope": OPENINFERENCE, "attributes": attributes} | words


@pytest.mark.parametrize("ids", [(None, None), ("c", None), (None, "c"), ("c", "d")])
@pytest.mark.parametrize("upper", ["otel", "openinference"])
def test_a_tool_that_another_scope_tells_around_it_is_one_call(
    upper: str, ids: tuple[str | None, str | None], scene: Scene
) -> None:
    if upper == "otel":
        scene.take(tool(1, call_id=ids[0]), tool_of_openinference(2, ids[1], parent=1))
    else:
        scene.take(tool_of_openinference(1, ids[0]), tool(2, call_id=ids[1], parent=1))
    rows = scene.rows("store.calls", "counted", "reason", "duplicate_of")
    assert rows == [(True, "leaf", None), (False, "same_tool_call", otlp.span_id(1))]


def test_a_tool_inside_itself_in_one_scope_is_two_calls(scene: Scene) -> None:
    scene.take(tool(1), tool(2, parent=1))
    assert scene.total("tool_call_count") == 2


@pytest.mark.parametrize(
    "spans",
    [
        [tool_of_openinference(1, "c"), tool(2, call_id="c", parent=1)],
        [tool(1, call_id="c"), tool_of_openinference(2, "c", parent=1)],
        [tool(1), mcp(2, parent=1), tool_of_openinference(3, parent=2)],
        [tool_of_openinference(1, "c"), mcp(2, parent=1), tool(3, call_id="c", parent=2)],
        [tool_of_openinference(1, "c"), tool(2, scope="shop", parent=1), tool(3, call_id="c", parent=2)],
        [tool(1, call_id="c"), tool_of_openinference(2, "c", parent=1), tool(3, scope="shop", parent=2)],
        [tool(1, call_id="c"), tool_of_openinference(2, "c"), tool(3, scope="shop", parent=2)],
    ],
)
def test_a_tool_told_around_and_by_its_call_id_counts_once(spans: list[Words], scene: Scene) -> None:
    scene.take(*spans)
    assert scene.total("tool_call_count") == 1


def test_a_call_over_mcp_that_is_trusted_more_than_the_tool_around_it_still_counts(scene: Scene) -> None:
    called = mcp(2, parent=1, scope="opentelemetry.instrumentation.genai.mcp")
    called["attributes"]["gen_ai.tool.call.id"] = "c"
    scene.take(tool_of_openinference(1, "c"), called)
    assert scene.total("tool_call_count") == 1


def test_a_call_id_told_by_two_instrumentations_is_one_tool_call(scene: Scene) -> None:
    attributes = {"openinference.span.kind": "TOOL", "tool.name": "search", "tool_call.id": "c"}
    scene.take(tool(1, call_id="c"), {"id": 2, "scope": OPENINFERENCE, "attributes": attributes, "trace": 2})
    assert scene.total("tool_call_count") == 1


def test_a_call_id_used_twice_by_one_instrumentation_is_two_tool_calls(scene: Scene) -> None:
    scene.take(tool(1, call_id="c"), tool(2, call_id="c"))
    assert scene.total("tool_call_count") == 2


def test_tools_at_one_time_without_ids_are_as_many_as_spans(scene: Scene) -> None:
    scene.take(tool(1), tool(2), tool(3))
    assert scene.total("tool_call_count") == 3


@pytest.mark.parametrize(("success", "status"), [("false", "error"), (False, "error"), ("true", "ok"), (True, "ok")])
def test_a_tool_of_claude_code_ends_as_its_execution_does(success: Any, status: str, scene: Scene) -> None:
    around = {"span.type": "tool", "tool_name": "Bash", "tool_use_id": "t"}
    inside = {"span.type": "tool.execution", "success": success, "error": "exit code 1" if status == "error" else ""}
    scene.take({"id": 2, "parent": 1, "scope": CLAUDE_CODE, "name": "claude_code.tool.execution", "attributes": inside})
    scene.take({"id": 1, "scope": CLAUDE_CODE, "name": "claude_code.tool", "attributes": around})
    message = "exit code 1" if status == "error" else None
    assert scene.rows("store.calls", "tool_name", "status", "error_message") == [("Bash", status, message)]


def test_waiting_for_the_user_is_no_tool_call(scene: Scene) -> None:
    types = ("tool", "tool.blocked_on_user", "tool.execution", "hook", "interaction")
    scene.take(
        *({"id": n, "scope": CLAUDE_CODE, "attributes": {"span.type": kind}} for n, kind in enumerate(types, start=1))
    )
    assert scene.total("tool_call_count") == 1


def test_a_handoff_is_no_tool_call_and_names_both_agents(scene: Scene) -> None:
    told = {"traceloop.span.kind": "handoff", "gen_ai.handoff.from_agent": "lead", "gen_ai.handoff.to_agent": "writer"}
    scene.take(
        {"id": 1, "scope": "opentelemetry.instrumentation.openai_agents", "attributes": told},
        {
            "id": 2,
            "scope": "openinference.instrumentation.openai_agents",
            "name": "handoff to writer",
            "attributes": {"openinference.span.kind": "TOOL"},
        },
    )
    assert scene.total("tool_call_count") == 0
    rows = scene.rows("store.spans", "kind", "handoff_from_agent", "handoff_to_agent")
    assert rows == [("handoff", "lead", "writer"), ("handoff", None, "writer")]


def test_a_tool_that_transfers_is_a_tool_call_and_a_handoff(scene: Scene) -> None:
    scene.take(tool(1, "transfer_to_writer"), tool(2, "transfer_money"))
    assert scene.total("tool_call_count") == 2
    assert scene.rows("store.spans", "handoff_to_agent") == [("writer",), (None,)]


def test_a_model_call_that_names_a_tool_is_no_tool_call(scene: Scene) -> None:
    """OpenLIT writes the tool that the model chose on the model call."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.tool.name": "transfer_to_writer"}
    scene.take({"id": 1, "scope": "openlit.instrumentation.openai", "attributes": attributes})
    assert scene.total("tool_call_count") == 0
    assert scene.rows("store.spans", "kind", "tool_name", "handoff_to_agent") == [("llm", None, None)]


def test_tool_calls_of_four_spellings_of_one_error_are_one_type(scene: Scene) -> None:
    spellings = ("openai.RateLimitError", "RateLimitError", "rate_limit_error", "OpenAIRateLimitError")
    spans = [tool(number) for number, _ in enumerate(spellings, start=1)]
    for span, spelling in zip(spans, spellings, strict=True):
        span["attributes"]["error.type"] = spelling
    scene.take(*spans)
    assert {row[0] for row in scene.rows("store.calls", "error_type")} == {"RateLimitError"}
