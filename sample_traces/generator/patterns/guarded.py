"""A helpdesk on the Spandeck client: guarded, cached, routed, with memory of three tiers, steps and tries."""

from __future__ import annotations

from generator import catalogue, client_spans
from generator.catalogue import CLAUDE_HAIKU, CLAUDE_SONNET, GPT_4O_MINI, Failure, Model, Tool
from generator.run import Run, RunError, Step

_REFUSED = Failure("SecurityError", "The request was refused: instructions in the user's text (ignore_previous)")
_TRIES = 3


def helpdesk(run: Run) -> None:
    """Check, look into the cache, plan and act, answer; what went wrong is tried again or handed to a person."""
    with run.agent("helpdesk") as desk:
        _check(desk)
        complexity = run.rng.choice(["simple", "simple", "medium", "complex"])
        client_spans.note(desk, route_tier=complexity)
        if _is_cached(desk):
            return
        client_spans.memory(desk, "search_memory", "short_term", 0.2, hits=run.rng.randrange(4))
        with client_spans.step(desk, "plan", 1) as plan:
            client_spans.memory(plan, "search_memory", "long_term", 14, hits=run.rng.randrange(3))
            plan.chat(GPT_4O_MINI, 900, 60, wants_tool=True)
        with client_spans.step(desk, "act", 2) as act:
            _act(act, desk)
        with client_spans.step(desk, "answer", 3) as answer:
            _answer(answer, desk, complexity)
        client_spans.redact(desk, ["EMAIL"] if run.chance(0.2) else [])
        client_spans.memory(desk, "create_memory", "short_term", 0.2)
        _judge(desk)


def _check(desk: Step) -> None:
    dice = desk.run.rng.random()
    if dice < 0.12:
        client_spans.guard(desk, "injection", "block", 0.97, ["ignore_previous"])
        raise RunError(_REFUSED)
    if dice < 0.22:
        client_spans.guard(desk, "injection", "review", 0.58, ["role_play"])
    else:
        client_spans.guard(desk, "injection", "allow", round(dice / 10, 3), [])


def _is_cached(desk: Step) -> bool:
    rng = desk.run.rng
    if rng.random() < 0.18:
        kind = rng.choice(["exact", "verified"])
        age_s, saved_usd = round(rng.uniform(20, 3000), 1), round(rng.uniform(0.004, 0.02), 5)
        client_spans.note(desk, cache_hit=True, cache_kind=kind, cache_score=1.0)
        client_spans.note(desk, cache_age_s=age_s, cache_saved_usd=saved_usd)
        desk.spend(1.5)
        return True
    client_spans.note(desk, cache_hit=False, cache_score=round(rng.uniform(0.3, 0.9), 3))
    if rng.random() < 0.2:
        client_spans.note(desk, cache_reject_rule=rng.choice(["numbers", "negation", "entities"]))
    return False


def _act(act: Step, desk: Step) -> None:
    run = act.run
    loops = 1 + run.chance(0.3)
    client_spans.note(desk, loop_count=loops)
    for _ in range(loops):
        done = _try(act, catalogue.TRACK_SHIPMENT) if run.chance(0.6) else _try(act, catalogue.LOOKUP_ORDER)
    if run.chance(0.35):
        with act.agent("refunds") as refunds:
            client_spans.memory(refunds, "search_memory", "episodic", 32, hits=run.rng.randrange(5))
            refunds.chat(CLAUDE_HAIKU, 700, 70)
            client_spans.message(refunds, "ledger")
    if not done:
        with act.hand_off("person") as handoff:
            handoff.spend(2)


def _try(act: Step, tool: Tool) -> bool:
    """Whether one of the tries of a tool went well."""
    arguments_hash = f"{act.run.rng.getrandbits(128):032x}"
    for attempt in range(1, _TRIES + 1):
        with client_spans.tool(act, tool.name, arguments_hash, attempt) as call:
            call.spend(tool.median_ms, tool.spread)
            if not act.run.chance(1.5 * tool.failure_ratio):
                return True
            call.fail(tool.failure)
        act.spend(300 * attempt)
    return False


def _answer(answer: Step, desk: Step, complexity: str) -> None:
    model: Model = CLAUDE_SONNET if complexity == "complex" else CLAUDE_HAIKU
    if complexity == "complex" and answer.run.chance(0.5):
        client_spans.note(desk, degraded="smaller_model", degraded_from_model=model.request_name)
        model = CLAUDE_HAIKU
    answer.chat(model, 1800, 140, streamed=True, says=True)


def _judge(desk: Step) -> None:
    rng = desk.run.rng
    if rng.random() < 0.5:
        is_supported = rng.random() < 0.92
        client_spans.judge(desk, "hallucination", 0.1 if is_supported else 0.9, "no" if is_supported else "yes")
    if rng.random() < 0.2:
        client_spans.judge(desk, "user_feedback", 1.0, "thumbs_up")
