"""What a run of an agent gives back, and what it tells on the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from spandeck.agent.ports import HitPort, VerdictPort
from spandeck.monitoring import AggregateMetrics
from spandeck.prices import Usage
from spandeck.recovery.fallback import Degradation

Stage = Literal["guard", "cache", "route", "call", "retry", "degraded", "sanitize", "store", "done", "failed"]


@dataclass(frozen=True)
class Update:
    """Progress: the stage that begins, and what is known of it."""

    stage: Stage
    details: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class AgentResult:
    """The answer of one run.

    `value` is what the program should use: the redacted text, or the function's own object where it is no text.
    `text` is the same where it is text, else None. `raw` is the provider's object (None from the cache).
    `cached` and `hit` tell of the cache, `verdict` of the guard (None without one), `degraded` how an answer was
    had although the model failed. `cost_usd` is None where no price is known, `trace_id` before `configure`.
    """

    value: Any
    text: str | None
    raw: Any
    cached: bool
    hit: HitPort | None
    verdict: VerdictPort | None
    model: str | None
    usage: Usage
    tries: int
    degraded: Degradation | None
    cost_usd: float | None
    trace_id: str | None
    span_id: str | None


class ProductionResult(TypedDict):
    """What `execute_production_agent` returns; `metrics` are the sums of this process, this run included."""

    result: Any
    cached: bool
    metrics: AggregateMetrics
    trace_id: str | None
