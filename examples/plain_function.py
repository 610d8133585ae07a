"""Any function as an agent, run by name: a budget, feedback of a person, and what in the answer nothing supports."""

import spandeck
from spandeck import Agent, Budget, execute_production_agent
from spandeck.quality import unsupported_values

FACTS = "Order 4711 was shipped on Friday."


@spandeck.tool
def look_up(number: int) -> str:
    """What the shop knows of an order."""
    return FACTS


def answer(task: str) -> str:
    """A very small agent: one memory access, one tool, no model."""
    with spandeck.memory("long_term") as memory:
        memory.hits(1)
    return f"{look_up(4711)} It costs 25 EUR."


def main() -> None:
    """Run the agent by its name, then judge the answer."""
    telemetry = spandeck.configure(service_name="plain-function", environment="example")
    agent = spandeck.register(Agent("clerk", answer, budget=Budget(steps=5, seconds=10)))
    done = execute_production_agent("clerk", "What about order 4711?", complexity="simple")
    print(done["result"], f"(cached: {done['cached']}, requests: {done['metrics']['total_requests']})")
    result = agent.run("Tell me about my order 4711, please.")
    judged = unsupported_values(result.text or "", [FACTS])
    print(judged.explanation)
    if result.trace_id is not None and result.span_id is not None:
        telemetry.evaluate(result.trace_id, result.span_id, judged.name, score=judged.score, label=judged.label)
        telemetry.evaluate(result.trace_id, result.span_id, "user_feedback", label="thumbs_down", source="human")


if __name__ == "__main__":
    main()
