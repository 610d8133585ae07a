"""What the store counts, and how large it is, as Prometheus reads it (`GET /metrics`)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters of one store; for any thread. Labels are words of ours, so their number is bounded."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._rows = self._counter("stored_rows", "Spans, log records and metric points that were stored.")
        self._deleted = self._counter("deleted_rows", "Rows that were deleted because of their age.")
        self._batch = self._histogram("batch_seconds", "Time to store one batch and settle its traces.")
        self._freshness = self._histogram(
            "freshness_seconds", "From the receipt of the oldest record of a batch until it can be asked for."
        )
        self._checkpoint = self._histogram("checkpoint_seconds", "Time to write everything into the database file.")
        self._query = self._histogram("query_seconds", "Time to answer a query.", "status")
        self._command = self._histogram("command_seconds", "Time to do a command, its wait included.", "status")
        ProcessCollector(registry=self._registry)

    def watch(self, connection: duckdb.DuckDBPyConnection, data_dir: Path, lag_s: Callable[[], float]) -> None:
        """From now on sizes are told too, asked for when the metrics are read."""
        self._registry.register(_Storage(connection, data_dir, lag_s))

    def stored(self, rows: int, seconds: float, freshness_s: float) -> None:
        """A batch was stored."""
        self._rows.inc(rows)
        self._batch.observe(seconds)
        self._freshness.observe(freshness_s)

    def deleted(self, rows: int) -> None:
        """Retention deleted rows."""
        self._deleted.inc(rows)

    def checkpointed(self, seconds: float) -> None:
        """A checkpoint was done."""
        self._checkpoint.observe(seconds)

    def answered(self, *, is_command: bool, status: int, seconds: float) -> None:
        """A query or a command was answered with this HTTP status."""
        (self._command if is_command else self._query).labels(str(status)).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, help_text: str) -> Counter:
        return Counter(f"spandeck_store_{name}", help_text, registry=self._registry)

    def _histogram(self, name: str, help_text: str, *labels: str) -> Histogram:
        return Histogram(f"spandeck_store_{name}", help_text, labels, buckets=_BUCKETS_S, registry=self._registry)


class _Storage(Collector):
    """The view `storage_health`, the disk, and how far the store is behind the journal."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, data_dir: Path, lag_s: Callable[[], float]) -> None:
        self._connection = connection
        self._data_dir = data_dir
        self._lag_s = lag_s

    def describe(self) -> list[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The values of this moment."""
        with self._connection.cursor() as cursor:
            result = cursor.execute("select * exclude (oldest_received_at, newest_received_at) from storage_health")
            names = [column[0] for column in result.description or ()]
            (values,) = result.fetchall()
        rows = GaugeMetricFamily("spandeck_store_rows", "Rows in the database.", labels=("table",))
        for name, value in zip(names, values, strict=True):
            if name.endswith("_count"):
                rows.add_metric((name.removesuffix("_count") + "s",), value)
            elif value is not None:
                yield _gauge(name, "See the view storage_health.", value)
        yield rows
        yield _gauge("disk_free_bytes", "Free space where the data folder is.", shutil.disk_usage(self._data_dir).free)
        yield _gauge("lag_seconds", "Age of the oldest record that was read and is not stored; 0: none.", self._lag_s())


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"spandeck_store_{name}", help_text, value=value)
