"""How long after its acknowledgement a trace can be queried, while a paced load runs."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.agent_spans import TRACE_SPANS, Template, templates
from benchmarks.senders import Connection, Numbers, pace
from benchmarks.stack import Stack

_PROBE_EVERY_S = 0.15
_LOOK_S = 0.02
_SETTLE_S = 2.0
_DEADLINE_S = 30.0


@dataclass(frozen=True)
class Freshness:
    """Acknowledgement to visible, of every probe in ms; how many spans were acknowledged in how many seconds."""

    visible_after_ms: list[float]
    lost_probe_count: int
    span_count: int
    seconds: float
    acknowledged_after_ms: list[float]


class _Probes:
    """Sends one trace every now and then, and looks when a query shows it."""

    def __init__(self, stack: Stack, numbers: Numbers) -> None:
        self._stack = stack
        self._numbers = numbers
        self._templates = templates(16, TRACE_SPANS, seed=7)
        self._waiting: dict[str, float] = {}
        self._stop = threading.Event()
        self.visible_after_ms: list[float] = []
        self.sent_count = 0

    def send(self) -> None:
        connection, dice = Connection(self._stack.settings.http_port), random.Random(7)
        while not self._stop.is_set():
            number = self._numbers.take()
            body = self._templates[number % len(self._templates)].body(number)
            connection.send(body.payload)
            self._waiting[body.trace_ids[0]] = time.perf_counter()
            self.sent_count += 1
            # An uneven pace: probes must not march in step with the store's batches.
            self._stop.wait(_PROBE_EVERY_S * dice.uniform(0.5, 1.5))
        connection.close()

    def watch(self) -> None:
        deadline = float("inf")
        while time.perf_counter() < deadline:
            waiting = list(self._waiting)
            if waiting:
                places = ", ".join("?" * len(waiting))
                rows = self._stack.rows(f"select trace_id from traces where trace_id in ({places})", waiting)
                now = time.perf_counter()
                self.visible_after_ms += [(now - self._waiting.pop(row["trace_id"])) * 1000 for row in rows]
            if self._stop.is_set():
                deadline = min(deadline, time.perf_counter() + _DEADLINE_S) if self._waiting else 0.0
            time.sleep(_LOOK_S)

    def stop(self) -> None:
        self._stop.set()


def measure_freshness(
    stack: Stack, load: list[Template], numbers: Numbers, spans_per_s: float, seconds: float, tick: Callable[[], None]
) -> Freshness:
    """Pace `load` at `spans_per_s`, the probes included, for `seconds`; `tick` is called about once a second."""
    probes = _Probes(stack, numbers)
    threads = [threading.Thread(target=probes.send), threading.Thread(target=probes.watch)]
    ticking = threading.Thread(target=_tick, args=(tick, seconds))
    time.sleep(_SETTLE_S)
    for thread in (*threads, ticking):
        thread.start()
    sent = pace(stack.settings.http_port, load, numbers, spans_per_s - TRACE_SPANS / _PROBE_EVERY_S, seconds)
    probes.stop()
    for thread in (*threads, ticking):
        thread.join()
    return Freshness(
        sorted(probes.visible_after_ms),
        probes.sent_count - len(probes.visible_after_ms),
        sent.span_count + probes.sent_count * TRACE_SPANS,
        sent.seconds,
        sorted(sent.latencies_ms),
    )


def _tick(tick: Callable[[], None], seconds: float) -> None:
    for _ in range(round(seconds)):
        time.sleep(1)
        tick()
