"""What stands inside a request: steps, loops, tries, memory, handoffs, messages, judgements."""

import pytest

import spandeck
from spandeck import Telemetry

from .sink import Sink

pytestmark = pytest.mark.integration


def test_steps_count_from_one_and_hold_their_calls(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("a") as req:
        with req.step("plan") as step, step.llm_call("m"):
            pass
        with req.step() as step:
            step.tool_call("t").end()
    assert telemetry.flush()
    plan, second = sink.span("step plan"), sink.span("step 2")
    assert [plan.attributes["spandeck.step"], second.attributes["spandeck.step"]] == [1, 2]
    assert sink.span("chat m").parent_id == plan.span_id
    assert sink.span("execute_tool t").parent_id == second.span_id


def test_loops_and_tries_are_counted(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("a") as req:
        for attempt in (1, 2):
            req.loop()
            req.llm_call("m", attempt=attempt).end()
        req.tool_call("t", attempt=3).end()
    assert telemetry.flush()
    assert sink.span("invoke_agent a").attributes["spandeck.loop.count"] == 2
    assert [span.attributes["spandeck.attempt"] for span in sink.spans if span.name == "chat m"] == [1, 2]
    assert sink.span("execute_tool t").attributes["spandeck.attempt"] == 3


def test_equal_arguments_have_equal_hashes_and_stay_at_home(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("a") as req:
        req.tool_call("one", arguments={"city": "Oslo", "days": 3}).end()
        req.tool_call("two", arguments={"days": 3, "city": "Oslo"}).end()
        req.tool_call("three", arguments={"days": 4, "city": "Oslo"}).end()
        req.tool_call("four", arguments=object()).end()
    assert telemetry.flush()
    one, two, three = (sink.span(f"execute_tool {n}").attributes for n in ("one", "two", "three"))
    assert one["spandeck.tool.arguments_hash"] == two["spandeck.tool.arguments_hash"]
    assert one["spandeck.tool.arguments_hash"] != three["spandeck.tool.arguments_hash"]
    assert "Oslo" not in str(sink.spans)


@pytest.mark.parametrize("tier", ["short_term", "long_term", "episodic"])
def test_memory_has_a_tier_an_operation_and_a_latency(telemetry: Telemetry, sink: Sink, tier: str) -> None:
    with telemetry.request("a") as req, req.memory(tier) as memory:  # type: ignore[arg-type]
        memory.hits(3)
    assert telemetry.flush()
    span = sink.span(f"search_memory {tier}")
    assert (span.attributes["gen_ai.operation.name"], span.attributes["spandeck.memory.tier"]) == (
        "search_memory",
        tier,
    )
    assert span.attributes["spandeck.memory.hit_count"] == 3
    assert span.ended_ns > span.started_ns


def test_handoffs_and_messages_name_both_agents(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("triage") as req:
        req.message("billing")
        req.handoff("refunds")
    assert telemetry.flush()
    handoff, message = sink.span("handoff to refunds"), sink.span("message to billing")
    assert handoff.parent_id == message.parent_id == req.span_id
    assert handoff.attributes["gen_ai.handoff.from_agent"] == "triage"
    assert handoff.attributes["gen_ai.handoff.to_agent"] == "refunds"
    assert message.attributes["spandeck.message.to_agent"] == "billing"


def test_a_delegation_is_a_request_below(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("coordinator", session_id="s") as req, req.request("worker") as worker:
        worker.llm_call("m").end()
    assert telemetry.flush()
    span = sink.span("invoke_agent worker")
    assert (span.parent_id, span.attributes["gen_ai.conversation.id"]) == (req.span_id, "s")
    assert sink.span("chat m").attributes["gen_ai.agent.name"] == "worker"


def test_a_judgement_is_an_event_at_the_judged_span_also_after_its_end(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("a") as req, req.llm_call("m") as call:
        pass
    call.evaluation("relevance", score=0.5, label="partly", explanation="half of it", source="llm", response_id="x")
    req.feedback(label="thumbs_down", comment="wrong order")
    assert telemetry.flush()
    judged, felt = sink.events
    assert (judged.name, judged.trace_id, judged.span_id) == ("gen_ai.evaluation.result", req.trace_id, call.span_id)
    assert judged.attributes == {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.score.label": "partly",
        "gen_ai.evaluation.explanation": "half of it",
        "gen_ai.response.id": "x",
        "spandeck.evaluation.source": "llm",
    }
    assert judged.resource["service.name"] == "tests"
    assert (felt.span_id, felt.attributes["spandeck.evaluation.source"]) == (req.span_id, "human")
    assert felt.attributes["gen_ai.evaluation.name"] == "user_feedback"


def test_feedback_from_another_process_needs_only_the_ids(telemetry: Telemetry, sink: Sink) -> None:
    telemetry.evaluate("a" * 32, "b" * 16, "user_feedback", score=1)
    assert telemetry.flush()
    (event,) = sink.events
    assert (event.trace_id, event.span_id) == ("a" * 32, "b" * 16)
    with pytest.raises(ValueError, match="must be 32 and 16 hex digits"):
        telemetry.evaluate("abc", "b" * 16, "user_feedback")


def test_links_say_what_a_request_follows_from(telemetry: Telemetry, sink: Sink) -> None:
    telemetry.request("a", links=[("c" * 32, "d" * 16), ("wrong", "id")]).complete()
    assert telemetry.flush()
    assert sink.span("invoke_agent a").links == [("c" * 32, "d" * 16)]


async def test_observe_takes_every_kind_of_function(telemetry: Telemetry, sink: Sink) -> None:
    @spandeck.observe(kind="tool")
    def plain(x: int) -> int:
        return x + 1

    @spandeck.observe(kind="step", name="later")
    async def later(x: int) -> int:
        return x + plain(x)

    @spandeck.observe(kind="model", model="m")
    def chunks() -> object:
        yield "a"
        yield "b"

    @spandeck.observe(kind="model", model="n")
    async def chunks_later() -> object:
        yield "c"

    @spandeck.observe
    async def agent() -> list[object]:
        said = [await later(1), *chunks()]  # type: ignore[misc]
        return said + [chunk async for chunk in chunks_later()]  # type: ignore[attr-defined]

    assert await agent() == [3, "a", "b", "c"]
    assert telemetry.flush()
    root = sink.span("invoke_agent agent")
    assert {sink.span(name).parent_id for name in ("step later", "chat m", "chat n")} == {root.span_id}
    assert sink.span("execute_tool plain").parent_id == sink.span("step later").span_id
    assert sink.span("chat m").attributes["gen_ai.response.time_to_first_chunk"] >= 0


def test_observe_reads_the_answer_of_a_model_and_passes_errors(telemetry: Telemetry, sink: Sink) -> None:
    @spandeck.observe(kind="model")
    def ask() -> dict[str, object]:
        return {"type": "message", "model": "claude-x", "usage": {"input_tokens": 5, "output_tokens": 2}}

    @spandeck.observe
    def broken() -> None:
        raise KeyError("gone")

    assert ask()["model"] == "claude-x"
    with pytest.raises(KeyError):
        broken()
    assert telemetry.flush()
    assert sink.span("chat").attributes["gen_ai.usage.input_tokens"] == 5
    assert sink.span("invoke_agent broken").status == "ERROR"
    with pytest.raises(ValueError, match="Kind 'chain' is unknown"):
        spandeck.observe(kind="chain")  # type: ignore[call-overload]
