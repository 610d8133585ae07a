"""The files of the samples: which case each plays, how often, by which releases and in which dialects."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generator import traffic
from generator.drafts import Conversation, Dialect, Exchange
from generator.openinference import OpenInferenceDialect
from generator.otel_genai import OpenTelemetryDialect
from generator.otlp import Resource, Span
from generator.patterns import autonomous, guarded, hierarchical, hybrid, orchestrated, plain_service
from generator.run import Run
from generator.traffic import MINUTE_NS, Visit

_STAGING_RATIO = 0.07
_EXCHANGE_RATIO = 0.25


@dataclass(frozen=True)
class Case:
    """One file: `play` leaves the spans of one run.

    `releases` are the old and the new one; `minutes` before the reference bound the time of an incident.
    """

    name: str
    about: str
    service: str
    play: Callable[[Run], None]
    trace_count: int
    architecture: str | None = None
    releases: tuple[str, str] = ("1.0.0", "1.1.0")
    exchanges: tuple[Exchange, ...] = ()
    minutes: tuple[float, float] | None = None


_SUPPORT = (
    Exchange("I was charged twice for order 4711.", "The second charge is refunded; it takes three days."),
    Exchange("Where is my parcel?", "It left the depot this morning and arrives tomorrow."),
)
_RECOMMENDATIONS = (Exchange("Rank 40 items for this basket.", '["SKU-118","SKU-032","SKU-377"]'),)
_RESEARCH = (Exchange("How did heat pump prices move in Europe?", "They fell by about a tenth, with two exceptions."),)
_ASSISTANT = (
    Exchange("Find me a flight to Lisbon on Friday.", "There are two; the 07:40 one leaves your noon call free."),
    Exchange("Move my 3 pm to tomorrow.", "Done. Ana and Ben have accepted the new time."),
)

CASES = (
    Case(
        name="orchestrated_customer_support",
        about="Customer support: a coordinator asks specialists, and all communication runs through it.",
        service="support-desk",
        play=orchestrated.customer_support,
        trace_count=104,
        architecture="orchestrated",
        releases=("2.3.1", "2.4.0"),
        exchanges=_SUPPORT,
    ),
    Case(
        name="autonomous_recommendations",
        about="Real-time recommendation: peers react in parallel and message each other; no agent leads.",
        service="recommender",
        play=autonomous.recommendations,
        trace_count=112,
        architecture="autonomous",
        releases=("5.0.2", "5.1.0"),
        exchanges=_RECOMMENDATIONS,
    ),
    Case(
        name="hierarchical_research",
        about="Research: a supervisor directs team leads, who direct workers.",
        service="research-system",
        play=hierarchical.research,
        trace_count=42,
        architecture="hierarchical",
        releases=("0.8.0", "0.9.0"),
        exchanges=_RESEARCH,
    ),
    Case(
        name="hybrid_assistant",
        about="Multi-purpose assistant: a concierge dispatches, and peers hand off among themselves.",
        service="assistant",
        play=hybrid.assistant,
        trace_count=84,
        architecture="hybrid",
        releases=("3.1.0", "3.2.0"),
        exchanges=_ASSISTANT,
    ),
    Case(
        name="guarded_helpdesk",
        about="A helpdesk on the Spandeck client: guard, cache, router, memory of three tiers, steps and tries.",
        service="helpdesk",
        play=guarded.helpdesk,
        trace_count=36,
        architecture="hybrid",
        releases=("1.7.0", "1.7.0"),
        exchanges=_SUPPORT,
    ),
    Case(
        name="plain_checkout",
        about="A web shop's checkout: HTTP and database spans without a language model.",
        service="checkout",
        play=plain_service.checkout,
        trace_count=60,
        releases=("11.4.0", "11.4.1"),
    ),
    Case(
        name="incident_failed_tool",
        about="Incident: the payment gateway is down, so issue_refund fails three times in each run.",
        service="support-desk",
        play=orchestrated.refund_outage,
        trace_count=6,
        architecture="orchestrated",
        releases=("2.3.1", "2.4.0"),
        exchanges=_SUPPORT,
        minutes=(26, 6),
    ),
    Case(
        name="incident_slow_first_token",
        about="Incident: streamed answers start more than two seconds late.",
        service="assistant",
        play=hybrid.slow_first_token,
        trace_count=5,
        architecture="hybrid",
        releases=("3.2.0", "3.2.0"),
        exchanges=_ASSISTANT,
        minutes=(14, 5),
    ),
    Case(
        name="incident_expensive_request",
        about="Incident: one research request reads whole reports again and again and costs dollars.",
        service="research-system",
        play=hierarchical.runaway_research,
        trace_count=1,
        architecture="hierarchical",
        releases=("0.9.0", "0.9.0"),
        exchanges=_RESEARCH,
        minutes=(9, 8),
    ),
)


def traces(case: Case, seed: int) -> Iterator[list[Span]]:
    """Play a case; each run draws from a generator of its own, so that a change in one leaves the others."""
    schedule = random.Random(f"{seed}:{case.name}")
    for number, visit in enumerate(_visits(schedule, case)):
        run = _run(random.Random(f"{seed}:{case.name}:{number}"), case, visit)
        case.play(run)
        yield run.spans


def _visits(rng: random.Random, case: Case) -> Iterator[Visit]:
    for visit in traffic.visits(rng, case.service, case.trace_count):
        if case.minutes is None:
            yield visit
        else:
            minutes_before = rng.uniform(*case.minutes)
            start_ns = traffic.REFERENCE_NS - round(minutes_before * MINUTE_NS)
            yield Visit(start_ns, visit.user_id, visit.session_id)


def _run(rng: random.Random, case: Case, visit: Visit) -> Run:
    is_staging = rng.random() < _STAGING_RATIO and case.minutes is None
    is_new = is_staging or rng.random() < traffic.new_release_share(visit.start_ns)
    has_content = bool(case.exchanges) and rng.random() < _EXCHANGE_RATIO
    return Run(
        rng=rng,
        dialect=_dialect(case, is_new),
        resource=Resource(case.service, case.releases[int(is_new)], "staging" if is_staging else "production"),
        start_ns=visit.start_ns,
        conversation=_conversation(case, visit),
        slowdown=traffic.slowdown(visit.start_ns),
        exchange=rng.choice(case.exchanges) if has_content else None,
    )


def _dialect(case: Case, is_new: bool) -> Dialect:
    """Each service moved from OpenInference to OpenTelemetry's own names with its new release."""
    changed = case.releases[0] != case.releases[1]
    return OpenTelemetryDialect() if is_new or not changed or not case.architecture else OpenInferenceDialect()


def _conversation(case: Case, visit: Visit) -> Conversation | None:
    if case.architecture is None:
        return None
    return Conversation(visit.session_id, visit.user_id, case.architecture)
