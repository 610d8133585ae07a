"""When the samples happened: a day with a morning and an evening, an hour of slowness and a roll-out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from generator.otlp import NANOSECONDS_PER_S

REFERENCE = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
"""The samples cover the 24 hours before this moment; the last runs end just after it."""

REFERENCE_NS = int(REFERENCE.timestamp()) * NANOSECONDS_PER_S
HOUR_NS = 3600 * NANOSECONDS_PER_S
MINUTE_NS = 60 * NANOSECONDS_PER_S

_HOURS = 24
_HOURLY_TRAFFIC = (8, 7, 6, 5, 4, 3, 2, 1.5, 1, 1, 1, 1.5, 2, 4, 7, 9, 10, 9, 7, 8, 10, 11, 10, 10)
"""Relative load of each of the 24 hours, oldest first (18:00 to 18:00 UTC)."""

_LAST_HOUR_SHARE = 0.24
"""The share of all traces in the last hour, so that short ranges of a dashboard have a shape too."""

_SLOW_HOURS = (8.0, 6.5)
"""Hours before the reference between which every provider answered slowly."""

_ROLLOUT_HOUR = 9.0
"""Hours before the reference at which the new release took over most of the traffic."""

_USERS = 28
_RETURN_RATIO = 0.45


@dataclass(frozen=True)
class Visit:
    """One request of a user within a session."""

    start_ns: int
    user_id: str
    session_id: str


def visits(rng: random.Random, case: str, count: int) -> Iterator[Visit]:
    """Spread `count` requests over the day, in order of time, some of them in a session that goes on."""
    recent: list[tuple[str, str]] = []
    for start_ns in sorted(_arrivals(rng, count)):
        if not recent or rng.random() > _RETURN_RATIO:
            user = f"user-{rng.randrange(1, _USERS):02d}"
            recent = [(user, f"{case}-{rng.getrandbits(32):08x}"), *recent[:2]]
        user, session = rng.choice(recent)
        yield Visit(start_ns, user, session)


def load(at_ns: int) -> float:
    """Load at a moment, from 0 to 1."""
    hour = min(int(_hours_before(at_ns)), _HOURS - 1)
    return _HOURLY_TRAFFIC[_HOURS - 1 - hour] / max(_HOURLY_TRAFFIC)


def slowdown(at_ns: int) -> float:
    """How much longer a model call takes at a moment."""
    begin, end = _SLOW_HOURS
    return (1 + 0.25 * load(at_ns)) * (1.5 if end <= _hours_before(at_ns) <= begin else 1)


def new_release_share(at_ns: int) -> float:
    """The share of requests that the new release of a service answers."""
    return 0.2 if _hours_before(at_ns) > _ROLLOUT_HOUR else 0.75


def _hours_before(at_ns: int) -> float:
    return max(REFERENCE_NS - at_ns, 0) / HOUR_NS


def _arrivals(rng: random.Random, count: int) -> Iterator[int]:
    last_hour_count = round(count * _LAST_HOUR_SHARE)
    for number in range(last_hour_count):
        share = (number + rng.random()) / last_hour_count
        yield REFERENCE_NS - round(share**1.3 * HOUR_NS)
    day_count = count - last_hour_count
    for number in range(day_count):
        yield REFERENCE_NS - round(_hours_at((number + rng.random()) / day_count) * HOUR_NS)


def _hours_at(share: float) -> float:
    """The moment, in hours before the reference, by which this share of the day's traffic had come."""
    rest = share * sum(_HOURLY_TRAFFIC)
    for hour, traffic in enumerate(_HOURLY_TRAFFIC):
        if rest < traffic:
            return _HOURS - hour - rest / traffic
        rest -= traffic
    return 0.0
