"""Bounds on how many parts a request may have, looked at before the parse: a part of two bytes costs a hundred.

Resources and scopes are counted as containers; spans, log records, metrics and data points as items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from spandeck_collector.receiver.otlp_signals import METRICS, OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.wire import FIXED_BYTES, LENGTH, VARINT, varint

MOST_CONTAINERS = 200_000
MOST_ITEMS = 1_000_000
_MOST_FIELDS = 2_000_000
_MOST_JSON_PARTS = 2_000_000
_SMALLEST_PART_BYTES = 2
_CONTAINER_LEVELS = 2
_DATA_FIELDS = frozenset({5, 7, 9, 10, 11})  # of Metric: gauge, sum, histogram, exponential_histogram, summary
_PATH = (frozenset({1}), frozenset({2}), frozenset({2}))  # resource, scope, item: the same numbers in every signal
_METRICS_PATH = (*_PATH, _DATA_FIELDS, frozenset({1}))
_JSON_PATHS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "traces": (("resourceSpans",), ("scopeSpans",), ("spans",)),
    "logs": (("resourceLogs",), ("scopeLogs",), ("logRecords",)),
    "metrics": (
        ("resourceMetrics",),
        ("scopeMetrics",),
        ("metrics",),
        ("gauge", "sum", "histogram", "exponentialHistogram", "summary"),
        ("dataPoints",),
    ),
}


class _Count:
    """Parts so far, refused as soon as there are too many."""

    def __init__(self) -> None:
        self.containers = self.items = 0

    def add(self, level: int, count: int = 1) -> None:
        """`count` parts at a depth of the path, 0 being resources."""
        if level < _CONTAINER_LEVELS:
            self.containers += count
        else:
            self.items += count
        if self.containers > MOST_CONTAINERS or self.items > MOST_ITEMS:
            _refuse()


def check_protobuf(otlp: OtlpSignal, body: bytes) -> None:
    """Count the parts of an encoded export request; raises `RefusedError`. What is malformed is left to the parser."""
    if len(body) > MOST_CONTAINERS * _SMALLEST_PART_BYTES:
        path = _METRICS_PATH if otlp is METRICS else _PATH
        try:
            _Walk(body, path).through(0, len(body))
        except IndexError:
            return


def check_json_text(body: bytes, most_parts: int = _MOST_JSON_PARTS) -> None:
    """Count what may open an object or array, also inside texts, before any is built; raises `RefusedError`."""
    if body.count(b"{") + body.count(b"[") > most_parts:
        _refuse()


def check_json(otlp: OtlpSignal, request: Any) -> None:
    """Count the parts of a parsed OTLP/JSON request; raises `RefusedError`. Wrong types are left to the conversion."""
    count = _Count()
    parts = [request]
    for level, keys in enumerate(_JSON_PATHS[otlp.name]):
        parts = [child for part in parts for child in _children(part, keys)]
        count.add(level, len(parts))


def _children(part: Any, keys: tuple[str, ...]) -> list[Any]:
    children = []
    for key in keys:
        value = part.get(key) if isinstance(part, dict) else None
        children += value if isinstance(value, list) else [] if value is None else [value]
    return children


@dataclass
class _Walk:
    """Counts in an encoded `body`, along a `path` of field numbers."""

    body: bytes
    path: tuple[frozenset[int], ...]
    count: _Count = field(default_factory=_Count)
    field_count: int = 0

    def through(self, position: int, end: int, level: int = 0) -> None:
        """Count the fields there, and what those of the path hold; `IndexError` behind the end of the body."""
        while position < end:
            tag, position = varint(self.body, position)
            self.field_count += 1
            if self.field_count > _MOST_FIELDS:
                _refuse()
            wire_type = tag & 7
            if wire_type == LENGTH:
                length, position = varint(self.body, position)
                if tag >> 3 in self.path[level]:
                    self.count.add(level)
                    if level + 1 < len(self.path):
                        self.through(position, min(position + length, end), level + 1)
                position += length
            elif wire_type == VARINT:
                _, position = varint(self.body, position)
            else:  # of a group only the tags are read: its fields follow like all others
                position += FIXED_BYTES.get(wire_type, 0)


def _refuse() -> NoReturn:
    raise RefusedError(Reason.TOO_MANY)
