"""What this process can tell about its own requests without a collector: events, alerts and sums."""

import logging
import math
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from spandeck.attributes import logger
from spandeck.forking import after_fork_in_child
from spandeck.prices import PriceBook, Rate, Usage, price_book

FIRST_TOKEN_LIMIT_MS = 2_000.0
COST_LIMIT_USD = 1.0
KEPT_ALERT_COUNT = 1_000
KEPT_LATENCY_COUNT = 10_000

EventName = Literal["request:start", "request:complete", "alert"]
Severity = Literal["warning", "error"]
EVENT_NAMES: tuple[EventName, ...] = ("request:start", "request:complete", "alert")


@dataclass(frozen=True)
class Alert:
    """One alert: `rule` is named as the store's, `value` and `threshold` in the rule's unit (ms, count, USD)."""

    rule: str
    level: Severity
    message: str
    value: float
    threshold: float
    request_id: str
    trace_id: str | None
    span_id: str | None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class RequestStart:
    """An outermost request began."""

    request_id: str
    trace_id: str | None
    name: str
    agent: str | None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class RequestComplete:
    """An outermost request ended; `cost_usd` is None where no call of it has a known price."""

    request_id: str
    trace_id: str | None
    name: str
    agent: str | None
    success: bool
    cancelled: bool
    duration_ms: float
    cost_usd: float | None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class AggregateMetrics(TypedDict):
    """The sums of the outermost requests that this process completed; None is unknown, as before the first."""

    total_requests: int
    success_rate: float | None
    avg_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    total_cost_usd: float | None
    avg_cost_per_request_usd: float | None


class Monitor:
    """Listeners, alerts and sums of a process (`spandeck.monitor`), or of one client that was given its own.

    Safe between threads; nothing here raises into the program but `on`.
    Listeners run at once in the thread that did the work: keep them short. An error of a listener is logged at
    DEBUG and goes no further.
    """

    def __init__(self, prices: PriceBook | Mapping[str, Rate] | None = None, *, print_alerts: bool = True) -> None:
        """See `use`."""
        self.use(prices, print_alerts=print_alerts)
        self._said_without_prices = False
        self._listeners: defaultdict[str, list[Callable[[Any], object]]] = defaultdict(list)
        self._start_empty()
        after_fork_in_child(self._start_empty)

    def _start_empty(self) -> None:
        # Re-entrant: a generator that the garbage collector closes ends its request inside whatever it interrupts.
        self._lock = threading.RLock()
        self._alerts: deque[Alert] = deque(maxlen=KEPT_ALERT_COUNT)
        self._latencies_ms: deque[float] = deque(maxlen=KEPT_LATENCY_COUNT)
        self._request_count = 0
        self._success_count = 0
        self._latency_sum_ms = 0.0
        self._priced_count = 0
        self._cost_sum_usd = 0.0

    def use(self, prices: PriceBook | Mapping[str, Rate] | None, *, print_alerts: bool = True) -> None:
        """Price calls by `prices` (a price book or rates by model) from now on, and print alerts to stderr or not."""
        self._prices = price_book(prices)
        self._print_alerts = print_alerts

    def on(self, event: EventName, listener: Callable[[Any], object]) -> Callable[[], None]:
        """Call `listener` with each `RequestStart`, `RequestComplete` or `Alert`; what it returns ends that.

        Raises `ValueError` for an event that does not exist.
        """
        if event not in EVENT_NAMES:
            raise ValueError(f"Event {event!r} does not exist: listen to one of {', '.join(EVENT_NAMES)}.")
        self._listeners[event].append(listener)

        def stop() -> None:
            if listener in self._listeners[event]:
                self._listeners[event].remove(listener)

        return stop

    def get_recent_alerts(self, limit: int = 10) -> list[Alert]:
        """The last `limit` alerts, oldest first; the last 1,000 are kept."""
        with self._lock:
            return list(self._alerts)[-limit:] if limit > 0 else []

    def get_aggregate_metrics(self) -> AggregateMetrics:
        """Counts, rates (0 to 1), milliseconds and USD since the start of the process.

        Percentiles interpolate between ranks, as the store's do, over the last 10,000 requests; averages and
        counts are over all. Costs are of the requests with a known price.
        """
        with self._lock:
            count, latencies = self._request_count, sorted(self._latencies_ms)
            return AggregateMetrics(
                total_requests=count,
                success_rate=self._success_count / count if count else None,
                avg_latency_ms=self._latency_sum_ms / count if count else None,
                p95_latency_ms=percentile(latencies, 0.95),
                p99_latency_ms=percentile(latencies, 0.99),
                total_cost_usd=self._cost_sum_usd if self._priced_count else None,
                avg_cost_per_request_usd=self._cost_sum_usd / self._priced_count if self._priced_count else None,
            )

    def started(self, start: RequestStart) -> None:
        """An outermost request began (called by the request itself)."""
        self._tell("request:start", start)

    def completed(self, done: RequestComplete) -> None:
        """An outermost request ended (called by the request itself)."""
        with self._lock:
            self._request_count += 1
            self._success_count += done.success
            self._latency_sum_ms += done.duration_ms
            self._latencies_ms.append(done.duration_ms)
            if done.cost_usd is not None:
                self._priced_count += 1
                self._cost_sum_usd += done.cost_usd
        self._tell("request:complete", done)

    def alert(self, alert: Alert) -> None:
        """Keep, print and tell one alert (called by the span that it is about)."""
        with self._lock:
            self._alerts.append(alert)
        if self._print_alerts:
            _print(f"[ALERT] {alert.level}: {alert.message}")
        self._tell("alert", alert)

    def cost(self, model: str | None, provider: str | None, usage: Usage) -> float | None:
        """USD of one call by the prices that were given; without any, says once that the store will judge."""
        if self._prices is None:
            self._say_without_prices()
            return None
        if model is None:
            return None
        try:
            cost = self._prices.cost(model, provider, usage)
        except Exception:
            logger.debug("the price book failed for %r", model, exc_info=True)
            return None
        return cost if cost is not None and math.isfinite(cost) and cost >= 0 else None

    def _say_without_prices(self) -> None:
        """Once; a warning only for who listens to alerts in this process, since the store has the alert anyway."""
        if not self._said_without_prices:
            self._said_without_prices = True
            logger.log(
                logging.WARNING if self._listeners["alert"] else logging.INFO,
                "No prices were given: the alert on a request above $%g is left to the store. "
                "Pass `configure(prices=...)` to have it in this process too.",
                COST_LIMIT_USD,
            )

    def _tell(self, event: EventName, what: object) -> None:
        for listener in tuple(self._listeners[event]):
            try:
                listener(what)
            except Exception:
                logger.debug("a listener of %r failed", event, exc_info=True)


monitor = Monitor()


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The `share` quantile (0 to 1) of ascending values, interpolated between ranks; None of none."""
    if not ordered:
        return None
    rank = share * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def _print(line: str) -> None:
    """One line on stderr, whatever names are in it; a closed stderr is no error."""
    try:
        print("".join(c if c.isprintable() else " " for c in line), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        logger.debug("stderr is closed")
