"""OTLP metrics to one row a data point."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

import pyarrow as pa
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from spandeck_collector.store.columns import Received, Rows
from spandeck_collector.store.values import attribute_texts, bounded

METRIC_COLUMNS = (
    ("arrival", pa.int64()),
    ("point_hash", pa.uint64()),
    ("scope", pa.string()),
    ("name", pa.string()),
    ("unit", pa.string()),
    ("metric_type", pa.string()),
    ("temporality", pa.string()),
    ("started_at", pa.timestamp("us")),
    ("occurred_at", pa.timestamp("us")),
    ("value", pa.float64()),
    ("point_count", pa.uint64()),
    ("bucket_counts", pa.list_(pa.uint64())),
    ("bucket_bounds", pa.list_(pa.float64())),
    ("received_at", pa.timestamp("us")),
    ("address", pa.string()),
)
_UNSPECIFIED = "AGGREGATION_TEMPORALITY_UNSPECIFIED"
_TEMPORALITIES = {
    number: name.removeprefix("AGGREGATION_TEMPORALITY_").lower()
    for name, number in AggregationTemporality.items()
    if name != _UNSPECIFIED
}


class Origin(NamedTuple):
    """Resource and scope of a metric as they came, and the scope's name."""

    told: bytes
    scope: str | None


def append_metric(rows: Rows, metric: Metric, origin: Origin, resource_row: int, received: Received) -> None:
    """Add the points of one metric; `value` is a number's value, or the sum of a histogram or summary."""
    metric_type = metric.WhichOneof("data")
    if metric_type is None:
        return
    data: Any = getattr(metric, metric_type)
    temporality = _TEMPORALITIES.get(
        getattr(data, "aggregation_temporality", AggregationTemporality.Value(_UNSPECIFIED))
    )
    series = blake2b(origin.told, digest_size=8)
    series.update("\0".join((metric.name, metric.unit, metric_type, temporality or "")).encode(errors="replace"))
    for point in data.data_points:
        row = (
            len(rows),
            _point_hash(series, point),
            origin.scope,
            metric.name,
            metric.unit or None,
            metric_type,
            temporality,
            point.start_time_unix_nano // 1000,
            point.time_unix_nano // 1000,
            *_numbers(point),
            *received,
        )
        rows.append(row, bounded(attribute_texts(point.attributes)), resource_row)


def _point_hash(series: Any, point: Any) -> int:
    """64 bits of all that a point says: a resent point has the same."""
    digest = series.copy()
    digest.update(point.SerializeToString())
    return int.from_bytes(digest.digest(), "little")


def _numbers(point: Any) -> tuple[float | None, int | None, list[int] | None, list[float] | None]:
    fields = point.DESCRIPTOR.fields_by_name
    if "as_int" in fields:
        which: str | None = point.WhichOneof("value")
        return (float(getattr(point, which)) if which else None), None, None, None
    if "explicit_bounds" in fields:
        return point.sum, point.count, list(point.bucket_counts), list(point.explicit_bounds)
    return point.sum, point.count, None, None
