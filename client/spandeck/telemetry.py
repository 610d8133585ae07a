"""`configure` and what it returns: where spans go, on whose behalf, and how to wait for them."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from opentelemetry.trace import NoOpTracer

from spandeck.calls import MemoryCall, MemoryOperation, MemoryTier
from spandeck.evaluation import Evaluation, EvaluationSource, evaluation_event
from spandeck.limits import EXIT_TIMEOUT_S, Limits
from spandeck.monitoring import Monitor, monitor
from spandeck.origin import Clock, Details, Origin, Outlet
from spandeck.prices import PriceBook, Rate
from spandeck.requests import Architecture, Request, RequestOptions, start_request
from spandeck.scope import ambient
from spandeck.span_id import SpanId
from spandeck.tally import Tally
from spandeck.version import __version__
from spandeck_schema import semantic_conventions as names

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from spandeck.delivery import Delivery

DEFAULT_ENDPOINT = "http://127.0.0.1:4318"
_SCOPE_NAME = "spandeck"

_configured: "Telemetry | None" = None
_unconfigured = Outlet(NoOpTracer(), monitor, lambda event: None)


class Telemetry:
    """A configured client: makes requests, and owns the tracer provider and the delivery behind them."""

    def __init__(
        self,
        provider: "TracerProvider",
        delivery: "Delivery",
        architecture: Architecture | None,
        monitor: Monitor,
    ) -> None:
        self._provider = provider
        self._delivery = delivery
        self._architecture = architecture
        self._outlet = Outlet(provider.get_tracer(_SCOPE_NAME, __version__), monitor, delivery.emit)

    @property
    def outlet(self) -> Outlet:
        """Where what this client sees goes."""
        return self._outlet

    @property
    def tracer_provider(self) -> "TracerProvider":
        """Spandeck's own provider, never the global one: give it to instrumentations that shall report here."""
        return self._provider

    @property
    def monitor(self) -> Monitor:
        """Listeners, alerts and sums of this process."""
        return self._outlet.monitor

    @property
    def dropped(self) -> dict[str, int]:
        """Lost spans and events of this process by reason; empty when none is lost.

        `queue_full` (the oldest go first), `refused` (by the collector, for good), `unreachable` (not taken
        before the time of `shutdown` was over), `after_shutdown`, `not_encodable`.
        """
        return self._delivery.dropped

    @property
    def delivered_count(self) -> int:
        """Spans and events of this process that the collector acknowledged."""
        return self._delivery.delivered_count

    def request(self, name: str, **options: Unpack[RequestOptions]) -> Request:
        """As `spandeck.request`, on this client."""
        return start_request(self._outlet, name, options, self._architecture)

    def evaluate(
        self,
        trace_id: str,
        span_id: str,
        name: str,
        *,
        score: float | None = None,
        label: str | None = None,
        explanation: str | None = None,
        source: EvaluationSource = "human",
        response_id: str | None = None,
    ) -> None:
        """Record a judgement of work that is over, perhaps in another process: see `Scope.evaluation`.

        `trace_id` and `span_id` are hex, as `Request` tells them; raises `ValueError` where they are not.
        """
        judged = SpanId.from_hex(trace_id, span_id)
        evaluation = Evaluation(name, score, label, explanation, source, response_id)
        self._outlet.emit(evaluation_event(judged, evaluation, time.time_ns()))

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Send what waits; True when all of it is delivered, False after `timeout_s` seconds at the latest."""
        return self._delivery.flush(timeout_s)

    def shutdown(self, timeout_s: float = EXIT_TIMEOUT_S) -> bool:
        """Send what waits and end; True when all is delivered, False after `timeout_s` seconds at the latest.

        Spans that end later are dropped. Runs by itself at the end of the process, bounded to 2 seconds.
        """
        return self._delivery.close(timeout_s)


def configure(
    endpoint: str | None = None,
    *,
    service_name: str | None = None,
    service_version: str | None = None,
    environment: str | None = None,
    token: str | None = None,
    architecture: Architecture | None = None,
    resource_attributes: Mapping[str, object] | None = None,
    limits: Limits | None = None,
    prices: PriceBook | Mapping[str, Rate] | None = None,
    print_alerts: bool = True,
) -> Telemetry:
    """Send the spans of this process to the Spandeck collector at `endpoint`, and return the handle.

    `endpoint` is the OTLP/HTTP address (default `SPANDECK_ENDPOINT`, else http://127.0.0.1:4318), `token` the
    ingest token (default `SPANDECK_INGEST_TOKEN`), `service_name` the service (default `OTEL_SERVICE_NAME`),
    `environment` such as `production`, `architecture` the declared pattern of outermost requests. Resource
    attributes of `OTEL_RESOURCE_ATTRIBUTES` are kept. `prices` are what calls are priced by in this process;
    `print_alerts` writes its alerts to stderr. Opens no connection and starts no thread; the global
    tracer provider stays untouched. Called again, it replaces the client that `spandeck.request` uses.

    Raises `ValueError` for an endpoint that is no http or https address or an unknown architecture; this is
    the only function here that raises.
    """
    global _configured  # noqa: PLW0603
    if architecture is not None and architecture not in names.ARCHITECTURES:
        raise ValueError(f"Architecture {architecture!r} is unknown: declare one of {', '.join(names.ARCHITECTURES)}.")
    # Not at the top: the SDK and protobuf are most of the time that importing takes, and wanted only here.
    from spandeck import pipeline  # noqa: PLC0415

    given = {
        names.SERVICE_NAME: service_name,
        names.SERVICE_VERSION: service_version,
        names.DEPLOYMENT_ENVIRONMENT_NAME: environment,
    }
    resource = pipeline.resource({**given, **(resource_attributes or {})})
    delivery = pipeline.delivery(
        endpoint or os.environ.get("SPANDECK_ENDPOINT") or DEFAULT_ENDPOINT,
        token or os.environ.get("SPANDECK_INGEST_TOKEN"),
        limits or Limits(),
        resource,
    )
    monitor.use(prices, print_alerts=print_alerts)
    _configured = Telemetry(pipeline.provider(delivery, resource), delivery, architecture, monitor)
    return _configured


def request(name: str, **options: Unpack[RequestOptions]) -> Request:
    """Start a request: `with spandeck.request("support", session_id=...) as req:` (or `async with`).

    It stands below the span that is current; see `RequestOptions` for what can be said about it. Before
    `configure` nothing is sent, only alerts and sums are kept in the process; it never raises.
    """
    return start_request(_unconfigured, name, options) if _configured is None else _configured.request(name, **options)


def memory(tier: MemoryTier, operation: MemoryOperation = "search_memory") -> MemoryCall:
    """Start an access to the agent's memory below the span that is current; use it in a `with` block.

    `tier` is `short_term` (the session), `long_term` (the user) or `episodic` (past events).
    """
    return MemoryCall(origin_here(), tier, operation)


def origin_here() -> Origin:
    """Where a span comes from that starts now: below the span that is current, or on its own."""
    context, outer = ambient()
    if outer is not None:
        return replace(outer.origin, context=context)
    return Origin(outlet_here(), Clock(), Details(None), context, Tally())


def outlet_here() -> Outlet:
    """Where what `spandeck.request` sees goes: to the client that was configured last, if any."""
    return _unconfigured if _configured is None else _configured.outlet
