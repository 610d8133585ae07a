"""Where spans come from: which client makes them, by which clock, for whom, below what."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.trace import Tracer

from spandeck.events import Event
from spandeck.monitoring import Monitor
from spandeck.tally import Tally
from spandeck_schema import semantic_conventions as names


class Clock:
    """Unix nanoseconds that never step back: the wall clock read once, carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._wall_ns = time.time_ns()
        self._origin_ns = time.perf_counter_ns()

    def now_ns(self) -> int:
        """The time now, in nanoseconds since 1970 UTC."""
        return self._wall_ns + time.perf_counter_ns() - self._origin_ns


@dataclass(frozen=True)
class Details:
    """What a request passes on to all that happens inside it; None is unknown."""

    agent: str | None
    session_id: str | None = None
    user_id: str | None = None
    architecture: str | None = None
    model: str | None = None
    provider: str | None = None

    def identity(self) -> dict[str, object]:
        """The attributes that every span of the request carries, so that none needs its parent to be read."""
        return {
            names.GEN_AI_AGENT_NAME: self.agent,
            names.GEN_AI_CONVERSATION_ID: self.session_id,
            names.USER_ID: self.user_id,
        }


@dataclass(frozen=True)
class Outlet:
    """Where what a client sees goes: spans, log events, and the sums and alerts of this process."""

    tracer: Tracer
    monitor: Monitor
    emit: Callable[[Event], None]


@dataclass(frozen=True)
class Origin:
    """Where a span comes from: for which client, by which clock, for whom, below what, in which request's sums.

    `run` is the run of an agent that it is part of, if any (see `spandeck.agent.run`).
    """

    outlet: Outlet
    clock: Clock
    details: Details
    context: Context
    tally: Tally
    run: object | None = None
