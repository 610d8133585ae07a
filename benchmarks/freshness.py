"""How long after its acknowledgement a trace can be queried, while a paced load runs."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.agent_spans import TRACE_SPANS
from benchmarks.senders import Connection, Source, pace
from benchmarks.stack import Stack

_PROBE_EVERY_S = 0.15
_LOOK_S = 0.02
_DEADLINE_S = 30.0


@dataclass(frozen=True)
class Freshness:
    """Acknowledgement to visible of every probe, and acknowledgement times of the load's requests, in ms, sorted.

    `span_count` spans, probes included, were acknowledged within `seconds`.
    """

    visible_after_ms: list[float]
    acknowledged_after_ms: list[float]
    span_count: int
    seconds: float


def measure_freshness(stack: Stack, load: Source, traces: Source, spans_per_s: float, seconds: float) -> Freshness:
    """Send `load` and, every now and then, one of the single `traces`; together `spans_per_s`, for `seconds`."""
    probes = _Probes(stack, traces)
    with ThreadPoolExecutor(2) as threads:
        tasks = [threads.submit(probes.send), threads.submit(probes.watch)]
        try:
            sent = pace(stack.settings.http_port, load, spans_per_s - TRACE_SPANS / _PROBE_EVERY_S, seconds)
        finally:
            probes.stop.set()
        for task in tasks:
            task.result()
    span_count = sent.span_count + probes.sent_count * TRACE_SPANS
    return Freshness(sorted(probes.visible_after_ms), sorted(sent.latencies_ms), span_count, sent.seconds)


class _Probes:
    """Sends one trace every now and then, and looks when a query shows it."""

    def __init__(self, stack: Stack, traces: Source) -> None:
        self._stack = stack
        self._traces = traces
        self._waiting: dict[str, float] = {}
        self.stop = threading.Event()
        self.visible_after_ms: list[float] = []
        self.sent_count = 0

    def send(self) -> None:
        """Send until `stop`."""
        connection, dice = Connection(self._stack.settings.http_port), random.Random(7)
        while not self.stop.is_set():
            body = self._traces.next()
            connection.send(body.payload)
            self._waiting[body.trace_ids[0]] = time.perf_counter()
            self.sent_count += 1
            # An uneven pace: probes must not march in step with the store's batches.
            self.stop.wait(_PROBE_EVERY_S * dice.uniform(0.5, 1.5))
        connection.close()

    def watch(self) -> None:
        """Look until `stop` and all have been seen. Raises `RuntimeError` when one is not seen in time."""
        while self._waiting or not self.stop.is_set():
            waiting = dict(self._waiting)
            seen = self._seen(list(waiting)) if waiting else []
            now = time.perf_counter()
            self.visible_after_ms += [(now - self._waiting.pop(trace_id)) * 1000 for trace_id in seen]
            if waiting and now - min(waiting.values()) > _DEADLINE_S:
                raise RuntimeError(f"An acknowledged trace was not to be seen within {_DEADLINE_S:.0f} s.")
            time.sleep(_LOOK_S)

    def _seen(self, trace_ids: list[str]) -> list[str]:
        places = ", ".join("?" * len(trace_ids))
        rows = self._stack.rows(f"select trace_id from traces where trace_id in ({places})", trace_ids)
        return [row["trace_id"] for row in rows]
