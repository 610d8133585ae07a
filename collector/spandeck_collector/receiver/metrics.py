"""What the receiver counts, as Prometheus reads it (`GET /metrics`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from spandeck_collector.receiver.refusals import Refusals

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SYNC_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one receiver; for any thread. Labels are words of ours, so their number is bounded."""

    def __init__(self, refusals: Refusals, journal_bytes: Callable[[], int], held_bytes: Callable[[], int]) -> None:
        """The two functions are asked when the metrics are read."""
        self._registry = CollectorRegistry()
        self._received = self._counter("received_requests", "Requests whose body was read whole.")
        self._received_bytes = self._counter("received_bytes", "Bytes of these requests, as they were sent.")
        self._journaled = self._counter("journaled_requests", "Requests that are on disk and were acknowledged.")
        self._journaled_bytes = self._counter("journaled_bytes", "Bytes of these requests in the journal.")
        self._sync = Histogram(
            "spandeck_receiver_journal_sync_seconds",
            "Time to write and sync one group of records to the journal.",
            buckets=_SYNC_BUCKETS_S,
            registry=self._registry,
        )
        self._gauge("journal_size_bytes", "Bytes of all journal files together.", journal_bytes)
        self._gauge("held_bytes", "Bytes of bodies that are held in memory now.", held_bytes)
        self._registry.register(_Refused(refusals))
        ProcessCollector(registry=self._registry)

    def received(self, signal: str, transport: str, size: int) -> None:
        """A body of `size` bytes was read, whatever becomes of it; `transport` is "http" or "grpc"."""
        self._received.labels(signal, transport).inc()
        self._received_bytes.labels(signal, transport).inc(size)

    def journaled(self, signal: str, transport: str, size: int) -> None:
        """`size` bytes of a request are on disk."""
        self._journaled.labels(signal, transport).inc()
        self._journaled_bytes.labels(signal, transport).inc(size)

    def synced(self, seconds: float) -> None:
        """The journal wrote and synced a group of records in `seconds`."""
        self._sync.observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, help_text: str) -> Counter:
        return Counter(f"spandeck_receiver_{name}", help_text, ("signal", "transport"), registry=self._registry)

    def _gauge(self, name: str, help_text: str, value: Callable[[], int]) -> None:
        Gauge(f"spandeck_receiver_{name}", help_text, registry=self._registry).set_function(value)


class _Refused(Collector):
    """The refusals, which are counted in one place, for the journal too."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "spandeck_receiver_refused",
            "Requests, and spans of accepted requests, that were refused.",
            labels=("signal", "reason"),
        )
        for (signal, reason), count in sorted(self._refusals.totals().items()):
            family.add_metric((signal, reason), count)
        yield family
