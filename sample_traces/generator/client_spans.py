"""What the Spandeck client writes beside calls and tools: steps, guards, memory, messages, the cache and the router."""

from __future__ import annotations

from generator.drafts import Draft
from generator.otlp import Event, Scope, Value
from generator.run import Run, Step

_SCOPE = Scope("spandeck", "0.1.0")


def step(around: Step, name: str, number: int) -> Step:
    """Open the step `number` of an agent."""
    return around.open(_draft(around, "plan", f"step {name}", {"spandeck.step": number}))


def guard(around: Step, name: str, action: str, score: float, rules: list[str]) -> None:
    """A guardrail that has looked at the user's text."""
    verdict: dict[str, Value] = {
        "gen_ai.security.guardrail": name,
        "spandeck.guard.action": action,
        "spandeck.guard.score": score,
        "spandeck.guard.rules": rules or None,
        "spandeck.guard.source": "user",
        "gen_ai.security.verdict": action,
        "gen_ai.security.risk.score": score,
    }
    _leaf(around, _draft(around, "run_guardrail", f"run_guardrail {name}", verdict), 0.3)


def redact(around: Step, kinds: list[str]) -> None:
    """Personal data of these kinds taken out of an answer."""
    told: dict[str, Value] = {
        "gen_ai.security.guardrail": "redaction",
        "spandeck.redaction.count": len(kinds),
        "spandeck.guard.rules": kinds or None,
    }
    _leaf(around, _draft(around, "run_guardrail", "run_guardrail redaction", told), 0.2)


def memory(around: Step, operation: str, tier: str, median_ms: float, hits: int | None = None) -> None:
    """One access to a tier of the agent's memory."""
    told: dict[str, Value] = {"spandeck.memory.tier": tier, "spandeck.memory.hit_count": hits}
    _leaf(around, _draft(around, operation, f"{operation} {tier}", told), median_ms)


def message(around: Step, target: str) -> None:
    """A message to another agent."""
    told: dict[str, Value] = {
        "spandeck.message.from_agent": around.agent_name,
        "spandeck.message.to_agent": target,
    }
    _leaf(around, _draft(around, "message", f"message to {target}", told), 0.1)


def tool(around: Step, name: str, arguments_hash: str, attempt: int) -> Step:
    """Open one try of a tool."""
    told: dict[str, Value] = {
        "gen_ai.tool.name": name,
        "spandeck.tool.arguments_hash": arguments_hash,
        "spandeck.attempt": attempt,
    }
    return around.open(_draft(around, "execute_tool", f"execute_tool {name}", told))


def note(agent: Step, **told: Value) -> None:
    """Attributes of the agent's own span: `cache_hit=True` is `spandeck.cache.hit`."""
    agent.span.attributes |= {f"spandeck.{name.replace('_', '.', 1)}": value for name, value in told.items()}


def judge(agent: Step, name: str, score: float, label: str) -> None:
    """The result of an evaluation of the agent's answer."""
    told: dict[str, Value] = {
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.score.value": score,
        "gen_ai.evaluation.score.label": label,
    }
    agent.span.events.append(Event("gen_ai.evaluation.result", agent.now_ns, told))


def _leaf(around: Step, draft: Draft, median_ms: float) -> None:
    with around.open(draft) as inner:
        inner.spend(median_ms, 0.5)


def _draft(around: Step, operation: str, name: str, told: dict[str, Value]) -> Draft:
    known: dict[str, Value] = {"gen_ai.operation.name": operation, "gen_ai.agent.name": around.agent_name}
    return Draft(_SCOPE, name, attributes=known | _session(around.run) | told)


def _session(run: Run) -> dict[str, Value]:
    return {"gen_ai.conversation.id": run.conversation.session_id} if run.conversation else {}
