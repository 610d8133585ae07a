"""Customer support, orchestrated: one coordinator talks to the specialists, who never talk to each other."""

from __future__ import annotations

from dataclasses import dataclass

from generator import catalogue
from generator.catalogue import CLAUDE_HAIKU, CLAUDE_SONNET, GPT_4O_MINI, Model, Tool
from generator.run import Run, Step


@dataclass(frozen=True)
class _Specialist:
    name: str
    model: Model
    tools: tuple[Tool, ...]
    library: str | None = None


_SPECIALISTS = (
    _Specialist("billing", CLAUDE_HAIKU, (catalogue.LOOKUP_INVOICE, catalogue.ISSUE_REFUND)),
    _Specialist("orders", CLAUDE_HAIKU, (catalogue.LOOKUP_ORDER, catalogue.TRACK_SHIPMENT)),
    _Specialist("accounts", GPT_4O_MINI, (catalogue.UPDATE_ACCOUNT,)),
    _Specialist("knowledge", GPT_4O_MINI, (), library="help_centre"),
)


def customer_support(run: Run) -> None:
    """Understand, ask one or two specialists in turn, answer."""
    with run.agent("support_coordinator") as coordinator:
        coordinator.remember("search_memory", "customer_history")
        asked = run.rng.sample(_SPECIALISTS, k=1 if run.chance(0.6) else 2)
        for turn, specialist in enumerate(asked):
            coordinator.chat(CLAUDE_SONNET, 1900 + 700 * turn, 70, wants_tool=True)
            with coordinator.call(f"ask_{specialist.name}") as ask:
                _consult(ask, specialist)
        coordinator.chat(CLAUDE_SONNET, 3100, 210, streamed=True, says=True)
        if run.chance(0.35):
            coordinator.remember("update_memory", "customer_history")


def refund_outage(run: Run) -> None:
    """The incident of a failing tool: every try to issue a refund fails, and the coordinator gives up."""
    with run.agent("support_coordinator") as coordinator:
        coordinator.chat(CLAUDE_SONNET, 1900, 70, wants_tool=True)
        with coordinator.call("ask_billing") as ask, ask.agent("billing") as billing:
            billing.chat(CLAUDE_HAIKU, 900, 60, wants_tool=True)
            billing.use(catalogue.LOOKUP_INVOICE, failure_ratio=0)
            for _ in range(3):
                billing.use(catalogue.ISSUE_REFUND, failure_ratio=1)
            billing.chat(CLAUDE_HAIKU, 1500, 90)
        coordinator.chat(CLAUDE_SONNET, 2800, 130, streamed=True, says=True)


def _consult(ask: Step, specialist: _Specialist) -> None:
    with ask.agent(specialist.name) as agent:
        if specialist.library:
            agent.retrieve(specialist.library)
        else:
            agent.chat(specialist.model, 850, 50, wants_tool=True)
        for tool in specialist.tools:
            if not agent.use(tool) and agent.run.chance(0.6):
                agent.use(tool)
        agent.chat(specialist.model, 1300, 120)
