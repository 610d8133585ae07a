"""Multi-purpose assistant, hybrid: a concierge dispatches the work, and peers hand off among themselves."""

from __future__ import annotations

from generator import catalogue
from generator.catalogue import CLAUDE_HAIKU, CLAUDE_SONNET, GEMINI_FLASH, GPT_4O, Model, Tool
from generator.run import Run, Step

_AGENTS: dict[str, tuple[Model, tuple[Tool, ...]]] = {
    "travel": (GPT_4O, (catalogue.FIND_FLIGHTS,)),
    "calendar": (GEMINI_FLASH, (catalogue.CALENDAR,)),
    "mail": (GEMINI_FLASH, (catalogue.SEND_MAIL,)),
    "coder": (CLAUDE_SONNET, (catalogue.EDIT_FILE, catalogue.RUN_PYTHON)),
}
_PEER_OF = {"travel": "calendar", "calendar": "mail", "mail": "calendar"}


def assistant(run: Run) -> None:
    """Dispatch one request; the agent that gets it may hand off to a peer without asking back."""
    with run.agent("concierge") as concierge:
        concierge.remember("search_memory", "user_profile")
        concierge.chat(CLAUDE_HAIKU, 1100, 45, wants_tool=True)
        chosen = run.rng.choice(list(_AGENTS))
        with concierge.call(f"dispatch_{chosen}") as dispatch:
            _work(dispatch, chosen, may_hand_off=True)
        concierge.chat(CLAUDE_SONNET, 2400, 180, streamed=True, says=True)


def slow_first_token(run: Run) -> None:
    """The incident of a slow first token: the answer starts seconds late, then comes at the usual speed."""
    with run.agent("concierge") as concierge:
        concierge.remember("search_memory", "user_profile")
        concierge.chat(CLAUDE_HAIKU, 1100, 45, wants_tool=True)
        with concierge.call("dispatch_calendar") as dispatch:
            _work(dispatch, "calendar", may_hand_off=False)
        late_ms = run.rng.uniform(2600, 6400)
        concierge.chat(CLAUDE_SONNET, 2400, 180, streamed=True, first_token_ms=late_ms, says=True)


def _work(around: Step, name: str, *, may_hand_off: bool) -> None:
    model, tools = _AGENTS[name]
    with around.agent(name) as agent:
        agent.chat(model, 950, 55, wants_tool=True)
        for tool in tools:
            agent.use(tool)
        peer = _PEER_OF.get(name)
        if may_hand_off and peer and agent.run.chance(0.55):
            with agent.hand_off(peer) as handoff:
                _work(handoff, peer, may_hand_off=False)
        else:
            agent.chat(model, 1500, 120)
