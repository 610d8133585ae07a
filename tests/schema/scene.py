"""Scenes of a few spans in one database: each has traces, services and an hour of its own."""

from typing import Any

from . import otlp
from .sandbox import Sandbox

Words = dict[str, Any]
_HOUR_MS = 3_600_000
_MOST_TRACES = 10


class Scene:
    """Spans of traces 1 and on; what is stored of them, and nothing of other scenes."""

    def __init__(self, sandbox: Sandbox, number: int) -> None:
        self._sandbox = sandbox
        self._number = number

    def take(self, *spans: Words) -> None:
        """Store one batch; `service` is a name of the scene's own."""
        self._sandbox.spans(*map(self._placed, spans))

    def rows(self, relation: str, *columns: str) -> list[tuple[Any, ...]]:
        """These columns of the scene's rows, by trace and span."""
        traces = [self._trace(trace) for trace in range(1, _MOST_TRACES)]
        order = "trace_id" if relation == "traces" else "trace_id, span_id"
        sql = f"select {', '.join(columns)} from {relation} where list_contains(?, trace_id) order by {order}"
        return [tuple(row.values()) for row in self._sandbox.rows(sql, [[otlp.trace_id(trace) for trace in traces]])]

    def total(self, count: str) -> int:
        """The sum of a count over the scene's traces; what is unknown adds nothing."""
        return sum(row[0] or 0 for row in self.rows("traces", count))

    def _placed(self, span: Words) -> Words:
        return span | {
            "trace": self._trace(span.get("trace", 1)),
            "service": f"{span.get('service', 'shop')} {self._number}",
            "at_ms": span.get("at_ms", 0) - self._number * _HOUR_MS,
        }

    def _trace(self, number: int) -> int:
        return self._number * _MOST_TRACES + number
