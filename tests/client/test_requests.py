"""What a request and the work inside it look like on the wire."""

import asyncio

import pytest

import spandeck
from spandeck import Telemetry

from .sink import Sink

pytestmark = pytest.mark.integration


def test_a_request_is_an_agent_span_with_its_calls_below(telemetry: Telemetry, sink: Sink) -> None:
    with spandeck.request(
        "support",
        agent="helper",
        session_id="s-1",
        user_id="u-1",
        architecture="orchestrated",
        model="claude-sonnet-4-5",
        provider="anthropic",
    ) as req:
        with req.llm_call():
            pass
        with req.tool_call("find_order", call_id="c-1") as tool:
            tool.ok()
    assert telemetry.flush()
    root, chat, tool_span = (
        sink.span("invoke_agent helper"),
        sink.span("chat claude-sonnet-4-5"),
        sink.span("execute_tool find_order"),
    )
    assert (root.parent_id, root.kind, root.status) == (None, "INTERNAL", "UNSET")
    assert (chat.parent_id, chat.kind, chat.trace_id) == (root.span_id, "CLIENT", root.trace_id)
    assert (tool_span.parent_id, tool_span.kind, tool_span.status) == (root.span_id, "INTERNAL", "OK")
    assert (req.trace_id, req.span_id) == (root.trace_id, root.span_id)
    identity = {"gen_ai.agent.name": "helper", "gen_ai.conversation.id": "s-1", "user.id": "u-1"}
    model = {"gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.provider.name": "anthropic"}
    root.attributes.pop("spandeck.cold_start", None)
    assert root.attributes == identity | model | {
        "gen_ai.operation.name": "invoke_agent",
        "spandeck.architecture": "orchestrated",
        "spandeck.request.name": "support",
    }
    assert chat.attributes == identity | model | {"gen_ai.operation.name": "chat"}
    assert tool_span.attributes == identity | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "find_order",
        "gen_ai.tool.call.id": "c-1",
    }


def test_usage_and_answer_are_recorded_as_given(telemetry: Telemetry, sink: Sink) -> None:
    with spandeck.request("a") as req, req.llm_call("m", "openai", stream=False) as call:
        call.usage(
            input_tokens=900,
            output_tokens=120,
            cache_read_tokens=400,
            cache_write_tokens=0,
            reasoning_tokens=30,
        )
        call.response(model="m-2026", id="r-1", finish_reasons=["stop"])
    assert telemetry.flush()
    attributes = sink.span("chat m").attributes
    assert attributes["gen_ai.usage.input_tokens"] == 900
    assert attributes["gen_ai.usage.output_tokens"] == 120
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 400
    assert attributes["gen_ai.usage.cache_write.input_tokens"] == 0
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 30
    assert attributes["gen_ai.request.stream"] is False
    assert attributes["gen_ai.response.model"] == "m-2026"
    assert attributes["gen_ai.response.id"] == "r-1"
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_what_is_not_known_is_absent(telemetry: Telemetry, sink: Sink) -> None:
    """None, negative and non-integer counts are unknown; nothing is filled in as 0."""
    with spandeck.request("a") as req, req.llm_call() as call:
        call.usage(input_tokens=None, output_tokens=-1, reasoning_tokens="many")  # type: ignore[arg-type]
        call.response(model=None, finish_reasons=None)
    assert telemetry.flush()
    assert sink.span("chat").attributes == {"gen_ai.operation.name": "chat", "gen_ai.agent.name": "a"}


def test_only_the_first_request_of_a_process_is_a_cold_start(telemetry: Telemetry, sink: Sink) -> None:
    for name in ("a", "b"):
        with spandeck.request(name):
            pass
    assert telemetry.flush()
    assert "spandeck.cold_start" not in sink.span("invoke_agent b").attributes


def test_the_low_level_calls_need_no_block(telemetry: Telemetry, sink: Sink) -> None:
    req = spandeck.request("seed", model="m")
    req.first_token()
    req.tool_call_done("search", ok=True, duration_ms=250)
    req.tool_call_done("pay", ok=False, duration_ms=10.5, error_type="declined", message="no funds")
    req.usage(input_tokens=10, output_tokens=5)
    req.complete(success=False, error_type="gave_up", message="no tool left")
    req.complete(success=True)
    assert telemetry.flush()
    root, search, pay = (
        sink.span("invoke_agent seed"),
        sink.span("execute_tool search"),
        sink.span("execute_tool pay"),
    )
    assert (root.status, root.message, root.attributes["error.type"]) == ("ERROR", "no tool left", "gave_up")
    assert root.attributes["gen_ai.usage.input_tokens"] == 10
    assert search.ended_ns - search.started_ns == 250_000_000
    assert (search.status, search.parent_id) == ("OK", root.span_id)
    assert pay.ended_ns - pay.started_ns == 10_500_000
    assert (pay.status, pay.message, pay.attributes["error.type"]) == ("ERROR", "no funds", "declined")


def test_a_failure_without_a_type_has_the_fallback_type(telemetry: Telemetry, sink: Sink) -> None:
    with spandeck.request("a") as req, req.tool_call("t") as tool:
        tool.ok()
        tool.fail()
    assert telemetry.flush()
    span = sink.span("execute_tool t")
    assert (span.status, span.attributes["error.type"]) == ("ERROR", "_OTHER")


def test_a_nested_request_is_a_child_agent(telemetry: Telemetry, sink: Sink) -> None:
    """By the current span, and by the explicit parent; the session is inherited, the architecture is not."""
    with spandeck.request("lead", session_id="s", architecture="hierarchical") as lead:
        with spandeck.request("worker"):
            pass
        lead.request("clerk").complete()
    assert telemetry.flush()
    root = sink.span("invoke_agent lead")
    for name in ("worker", "clerk"):
        child = sink.span(f"invoke_agent {name}")
        assert (child.parent_id, child.trace_id) == (root.span_id, root.trace_id)
        assert child.attributes["gen_ai.conversation.id"] == "s"
        assert "spandeck.architecture" not in child.attributes


def test_the_declared_architecture_of_the_client_is_on_outermost_requests(sink: Sink) -> None:
    telemetry = spandeck.configure(sink.endpoint, service_name="t", architecture="autonomous")
    with telemetry.request("outer") as outer:
        outer.request("inner").complete()
    assert telemetry.shutdown(5)
    assert sink.span("invoke_agent outer").attributes["spandeck.architecture"] == "autonomous"
    assert "spandeck.architecture" not in sink.span("invoke_agent inner").attributes


def test_exceptions_pass_unchanged_and_mark_every_open_span(telemetry: Telemetry, sink: Sink) -> None:
    error = ValueError("bad order")

    def fail() -> None:
        with spandeck.request("a") as req, req.tool_call("t") as tool:
            tool.ok()
            raise error

    with pytest.raises(ValueError, match="bad order") as caught:
        fail()
    assert caught.value is error
    assert telemetry.flush()
    for name in ("invoke_agent a", "execute_tool t"):
        span = sink.span(name)
        assert (span.status, span.message, span.attributes["error.type"]) == ("ERROR", "bad order", "ValueError")
        ((event, recorded),) = [seen for seen in span.events if seen[0] == "exception"]
        assert (event, recorded["exception.type"]) == ("exception", "ValueError")
        assert "bad order" in recorded["exception.stacktrace"]


async def test_cancellation_is_recorded_as_cancelled(telemetry: Telemetry, sink: Sink) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with spandeck.request("a") as req, req.llm_call("m"):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert telemetry.flush()
    for name in ("invoke_agent a", "chat m"):
        span = sink.span(name)
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "cancelled")
        assert span.attributes["spandeck.cancelled"] is True
        assert span.events == []
