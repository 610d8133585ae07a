"""`python -m benchmarks.alerts`: what alert rules cost ingestion, and how soon an alert is in the feed; Linux only.

Cost is CPU time of one thread within one run: the statements of the rules about spans beside all that storing the same
spans takes, and one minute's judgements of the rules with a window beside the storing of a minute at 10,000 spans/s.
Freshness: real processes, a paced load, and every now and then a failed tool call whose alert is looked for.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.agent_spans import templates
from benchmarks.senders import Connection, Source, pace
from benchmarks.stack import running
from benchmarks.statements import StatementClock
from spandeck_collector.alerts.rule_folder import RuleFolder
from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.store.alert_watch import AlertWatch
from spandeck_collector.store.database import open_database
from spandeck_collector.store.ingest import Ingest

SPANS_PER_S = 10_000
_BODY_SPANS = 504
_BODIES_A_BATCH = 5
_STATEMENTS = ("fire_alerts", "update_alerts", "insert_alerts", "delete_alerts", "empty_fired_alerts")
_FRESH_S = 2.0
_MOST_SHARE = 0.10
_PROBE_EVERY_S = 0.2


@dataclass(frozen=True)
class Cost:
    """CPU microseconds a span: of storing without alerts, of the rules about spans, of one minute of the others."""

    span_count: int
    storing_us: float
    arrival_us: float
    window_us: float

    @property
    def share(self) -> float:
        """What the rules take beside storing."""
        return (self.arrival_us + self.window_us) / self.storing_us


def measure_cost(folder: Path, span_count: int) -> Cost:
    """Store `span_count` spans in batches of a quarter of a second, then judge one minute."""
    clock = StatementClock(open_database(folder / "cost.duckdb", "2GB"))
    ingest = Ingest(clock.as_connection(), folder / "quarantine")
    source = Source(templates(40, _BODY_SPANS, seed=1))
    _store(ingest, source, 1)
    watch = AlertWatch(ingest, RuleFolder(None), timedelta(seconds=15))
    now = datetime.now(UTC).replace(tzinfo=None)
    watch.take_turn(now, is_busy=False)
    clock.cpu_s.clear()
    began, stored, number = time.process_time(), 0, 1
    while stored < span_count:
        number += 1
        stored += _store(ingest, source, number)
    all_s = time.process_time() - began
    arrival_s = clock.of(*_STATEMENTS)
    began = time.process_time()
    watch.judge_until(now + timedelta(minutes=1), float("inf"))
    window_s = time.process_time() - began
    watch.close()
    clock.connection.close()
    minute = SPANS_PER_S * 60
    return Cost(stored, (all_s - arrival_s) / stored * 1e6, arrival_s / stored * 1e6, window_s / minute * 1e6)


def _store(ingest: Ingest, source: Source, number: int) -> int:
    bodies = [source.next() for _ in range(_BODIES_A_BATCH)]
    at_ns = time.time_ns()
    ingest.store(
        [Record(Signal.TRACES, at_ns, body.payload, Position(1, number * 100 + n)) for n, body in enumerate(bodies)]
    )
    return sum(body.span_count for body in bodies)


def measure_freshness(folder: Path, spans_per_s: float, seconds: float) -> list[float]:
    """Seconds from the acknowledgement of a failed tool call to its alert in the feed, sorted."""
    waiting: dict[str, float] = {}
    seen: list[float] = []
    with running(folder / "data") as stack:
        stop = threading.Event()

        def probe() -> None:
            connection, dice = Connection(stack.settings.http_port), random.Random(7)
            while not stop.is_set():
                trace_id = random.randbytes(16)
                connection.send(_failed_call(trace_id))
                waiting[trace_id.hex()] = time.perf_counter()
                stop.wait(_PROBE_EVERY_S * dice.uniform(0.5, 1.5))
            connection.close()

        thread = threading.Thread(target=probe)
        load = threading.Thread(
            target=pace,
            args=(stack.settings.http_port, Source(templates(16, _BODY_SPANS, seed=2)), spans_per_s, seconds),
        )
        thread.start()
        load.start()
        deadline = time.perf_counter() + seconds + 30
        while (load.is_alive() or waiting) and time.perf_counter() < deadline:
            if not load.is_alive():
                stop.set()
            ids = list(waiting)
            places = ", ".join("?" * len(ids)) or "''"
            rows = stack.rows(f"select trace_id from alerts where trace_id in ({places})", ids)
            now = time.perf_counter()
            seen += [now - waiting.pop(row["trace_id"]) for row in rows]
            time.sleep(0.05)
        stop.set()
        thread.join()
        load.join()
    if waiting:
        raise RuntimeError(f"{len(waiting)} alerts did not come: see the store's log.")
    return sorted(seen)


def _failed_call(trace_id: bytes) -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = trace_id, trace_id[:8], "execute_tool probe"
    span.start_time_unix_nano = time.time_ns() - 10**7
    span.end_time_unix_nano = time.time_ns()
    for key, value in (("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "probe"), ("error.type", "x")):
        pair = span.attributes.add(key=key)
        pair.value.string_value = value
    return request.SerializeToString()


def main() -> int:
    """Measure, print, and exit with 1 where a bound is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alerts", description=__doc__)
    parser.add_argument("--spans", type=int, default=100_000, help="spans stored to measure the cost")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the paced load runs; 0 leaves it out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spandeck-bench-") as folder:
        cost = measure_cost(Path(folder), options.spans)
        fresh = measure_freshness(Path(folder), 1_000, options.seconds) if options.seconds else []
    p99 = fresh[min(int(len(fresh) * 0.99), len(fresh) - 1)] if fresh else None
    figures = asdict(cost) | {"share": cost.share, "alert_count": len(fresh), "fresh_p99_s": p99}
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:<14} {value if value is None or isinstance(value, int) else format(value, '.3f')}")
    return int(cost.share > _MOST_SHARE or (p99 is not None and p99 > _FRESH_S))


if __name__ == "__main__":
    sys.exit(main())
