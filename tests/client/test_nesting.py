"""Parents: right in threads, tasks and generators, and always a valid tree."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import spandeck
from spandeck import LlmCall, Request, Telemetry, ToolCall

from .sink import Sink

pytestmark = pytest.mark.integration

Node = tuple[str, list[Any]]
NODES: st.SearchStrategy[Node] = st.recursive(
    st.builds(lambda kind: (kind, []), st.sampled_from(["request", "llm", "tool"])),
    lambda inner: st.tuples(st.sampled_from(["request", "delegate", "llm", "tool"]), st.lists(inner, max_size=4)),
    max_leaves=12,
)


def open_scope(kind: str, name: str, owner: Request | None) -> Request | LlmCall | ToolCall:
    if owner is None or kind == "request":
        return spandeck.request(name)
    if kind == "delegate":
        return owner.request(name)
    return owner.llm_call(name) if kind == "llm" else owner.tool_call(name)


def play(node: Node, owner: Request | None, parent: str | None, expected: dict[str, str | None]) -> None:
    """Run `node` in nested blocks; `expected` gets each span's own name and that of its parent."""
    kind, children = node
    name = f"n{len(expected)}"
    expected[name] = parent
    with open_scope(kind, name, owner) as scope:
        for child in children:
            below = scope if isinstance(scope, Request) else None
            play(child, below, name, expected)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(node=NODES)
def test_any_nesting_is_a_valid_tree(telemetry: Telemetry, sink: Sink, node: Node) -> None:
    """One root, every parent as written, children within their parents' times, one trace."""
    sink.spans.clear()
    expected: dict[str, str | None] = {}
    play(node, None, None, expected)
    assert telemetry.flush()
    spans = {span.name.split()[-1]: span for span in sink.spans}
    assert len(sink.spans) == len(expected) == len(spans)
    assert len({span.trace_id for span in sink.spans}) == 1
    for name, parent in expected.items():
        span = spans[name]
        if parent is None:
            assert span.parent_id is None
        else:
            above = spans[parent]
            assert span.parent_id == above.span_id
            assert above.started_ns <= span.started_ns <= span.ended_ns <= above.ended_ns


def test_threads_share_a_request_as_explicit_parent(telemetry: Telemetry, sink: Sink) -> None:
    with spandeck.request("a") as req:

        def work(number: int) -> None:
            with req.tool_call(f"t{number}"):
                pass

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert telemetry.flush()
    root = sink.span("invoke_agent a")
    assert [sink.span(f"execute_tool t{number}").parent_id for number in range(8)] == [root.span_id] * 8


async def test_concurrent_tasks_do_not_see_each_other(telemetry: Telemetry, sink: Sink) -> None:
    async def work(name: str) -> None:
        async with spandeck.request(name) as req:
            await asyncio.sleep(0)
            async with req.llm_call(f"m-{name}"):
                await asyncio.sleep(0)

    await asyncio.gather(*(work(f"r{number}") for number in range(8)))
    assert telemetry.flush()
    for number in range(8):
        root = sink.span(f"invoke_agent r{number}")
        assert root.parent_id is None
        assert sink.span(f"chat m-r{number}").parent_id == root.span_id


def test_interleaved_generators_leave_no_span_behind(telemetry: Telemetry, sink: Sink) -> None:
    def work(name: str) -> Iterator[str | None]:
        with spandeck.request(name) as req:
            yield req.span_id
            yield req.span_id

    first, second = work("first"), work("second")
    next(first)
    current = next(second)
    assert list(first) != [current]
    assert f"{trace.get_current_span().get_span_context().span_id:016x}" == current
    list(second)
    with spandeck.request("later"):
        pass
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert telemetry.flush()
    assert sink.span("invoke_agent later").parent_id is None


async def test_a_generator_closed_in_another_task_logs_nothing(
    telemetry: Telemetry, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """OpenTelemetry's own context manager logs "Failed to detach context" here, and leaves its span current."""

    async def work() -> AsyncIterator[int]:
        with spandeck.request("held"):
            yield 1
            yield 2

    chunks = work()
    with caplog.at_level(logging.DEBUG):
        await anext(chunks)
        await asyncio.create_task(chunks.aclose())  # type: ignore[attr-defined]
        with spandeck.request("later"):
            pass
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []
    assert telemetry.flush()
    assert sink.span("invoke_agent held").attributes["spandeck.cancelled"] is True
    assert sink.span("invoke_agent later").parent_id is None


def test_other_instrumentation_nests_below_the_current_call(telemetry: Telemetry, sink: Sink) -> None:
    tracer = telemetry.tracer_provider.get_tracer("http")
    with spandeck.request("a") as req, req.llm_call("m"):
        tracer.start_span("POST").end()
    assert telemetry.flush()
    assert sink.span("POST").parent_id == sink.span("chat m").span_id


def test_a_request_joins_the_trace_around_it(telemetry: Telemetry, sink: Sink) -> None:
    """An unsampled parent elsewhere is no reason to lose the agent's spans."""
    parent = trace.NonRecordingSpan(trace.SpanContext(7, 9, is_remote=True, trace_flags=trace.TraceFlags(0)))
    with trace.use_span(parent), spandeck.request("a"):
        pass
    assert telemetry.flush()
    span = sink.span("invoke_agent a")
    assert (int(span.trace_id, 16), span.parent_id) == (7, "0000000000000009")


def test_unconfigured_everything_works_and_nothing_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spandeck.telemetry._configured", None)
    foreign = TracerProvider(shutdown_on_exit=False).get_tracer("foreign").start_span("foreign")
    with trace.use_span(foreign, end_on_exit=True), spandeck.request("a") as req, req.llm_call("m") as call:
        assert list(call.stream("xy")) == ["x", "y"]
        call.usage(input_tokens=1)
        req.tool_call_done("t", duration_ms=1)
        req.complete()
        assert trace.get_current_span() is foreign
    assert req.trace_id is None
    assert req.span_id is None
