"""One run: start, rest, saturating load, checkpoint, paced load, stop, baseline, meaning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from benchmarks.agent_spans import TRACE_SPANS, templates
from benchmarks.baseline import Baseline, measure_baseline
from benchmarks.freshness import Freshness, measure_freshness
from benchmarks.meaning import Meaning, measure_all
from benchmarks.senders import Sent, Source, saturate
from benchmarks.stack import MemoryWatch, Stack, running

BODY_SPANS = 512
_TEMPLATES = 40
_CONNECTIONS = 4
_REST_S = 3.0
_SETTLE_S = 5.0
_LOOK_S = 0.05
_DEADLINE_S = 180.0
_BASELINE_ROWS = 61_440


@dataclass(frozen=True)
class Plan:
    """How much is sent: requests of 512 spans at full speed, then `paced_spans_per_s` for `paced_s` seconds."""

    bodies: int = 160
    paced_spans_per_s: float = 1_000.0
    paced_s: float = 30.0


@dataclass
class Result:
    """Everything measured, in the units of the names; dicts are by process."""

    seconds_to_ready: float
    span_bytes: float
    rest_rss_mib: dict[str, float]
    sent: Sent = field(default_factory=Sent)
    queryable_s: float = 0.0
    load_cpu_s: dict[str, float] = field(default_factory=dict)
    load_rss_mib: dict[str, float] = field(default_factory=dict)
    after_rss_mib: dict[str, float] = field(default_factory=dict)
    database_bytes_per_span: float = 0.0
    paced: Freshness | None = None
    paced_cpu_s: dict[str, float] = field(default_factory=dict)
    baseline: Baseline | None = None
    meaning: list[Meaning] = field(default_factory=list)

    @property
    def queryable_per_s(self) -> float:
        """Spans of the full-speed load that a query saw, by the seconds from the first byte to the last span."""
        return self.sent.span_count / self.queryable_s


def measure(plan: Plan, folder: Path, progress: Progress) -> Result:
    """Run everything in `folder`, which holds the database and journal of this run alone.

    Raises `RuntimeError` when an acknowledged span is missing or stands twice.
    """
    load, traces = Source(templates(_TEMPLATES, BODY_SPANS, seed=1)), Source(templates(16, TRACE_SPANS, seed=2))
    with _step(progress, "Start the three processes"), ExitStack() as stopping:
        stack = stopping.enter_context(running(folder / "data"))
        time.sleep(_REST_S)
        result = Result(stack.seconds_to_ready, _mean_span_bytes(load), stack.rss_mib())
        database = stack.settings.database
        everything = stopping.pop_all()
    with everything:
        _full_speed(plan, stack, load, result, progress)
        with _step(progress, f"Send {plan.paced_spans_per_s:,.0f} spans/s for {plan.paced_s:,.0f} s"):
            _paced(plan, stack, load, traces, result)
    with _step(progress, "Insert the same rows into plain DuckDB"):
        result.baseline = measure_baseline(database, folder, min(_BASELINE_ROWS, result.sent.span_count))
    with _step(progress, "Normalize and settle on one core"):
        result.meaning = measure_all()
    return result


def _full_speed(plan: Plan, stack: Stack, load: Source, result: Result, progress: Progress) -> None:
    before, empty_bytes = stack.cpu_s(), stack.database_bytes()
    began = time.perf_counter()
    with MemoryWatch(stack) as memory:
        with _step(progress, "Send at full speed", plan.bodies * BODY_SPANS) as advance:
            result.sent = saturate(stack.settings.http_port, load, plan.bodies, _CONNECTIONS, advance)
        with _step(progress, "Wait until all are queryable"):
            _wait(lambda: stack.stored_span_count() >= result.sent.span_count, "the acknowledged spans queryable")
            result.queryable_s = time.perf_counter() - began
        with _step(progress, "Wait for the checkpoint"):
            _wait(stack.is_checkpointed, "the checkpoint done")
    result.load_rss_mib = memory.peak_mib
    result.load_cpu_s = _difference(stack.cpu_s(), before)
    result.database_bytes_per_span = (stack.database_bytes() - empty_bytes) / result.sent.span_count
    with _step(progress, "Let memory settle"):
        time.sleep(_SETTLE_S)
        result.after_rss_mib = stack.rss_mib()
    _require_once(stack, result.sent.span_count)


def _paced(plan: Plan, stack: Stack, load: Source, traces: Source, result: Result) -> None:
    before = stack.cpu_s()
    result.paced = measure_freshness(stack, load, traces, plan.paced_spans_per_s, plan.paced_s)
    result.paced_cpu_s = _difference(stack.cpu_s(), before)
    expected = result.sent.span_count + result.paced.span_count
    _wait(lambda: stack.stored_span_count() >= expected, "the paced spans queryable")
    _require_once(stack, expected)


@contextmanager
def _step(progress: Progress, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    task = progress.add_task(title, total=total)
    yield lambda count: progress.advance(task, count)
    progress.update(task, total=total or 1, completed=total or 1)


def _mean_span_bytes(load: Source) -> float:
    sizes = [len(template.payload) / template.span_count for template in load.templates]
    return sum(sizes) / len(sizes)


def _require_once(stack: Stack, expected: int) -> None:
    row = stack.rows("select count(*) as n, count(distinct (trace_id, span_id)) as d from spans")[0]
    if not row["n"] == row["d"] == expected:
        raise RuntimeError(
            f"{expected:,} spans were acknowledged, but {row['n']:,} are stored, {row['d']:,} of them different: "
            "figures of this run mean nothing."
        )


def _difference(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"After {_DEADLINE_S:.0f} s the wait for {what} was given up: see the store's log.")
        time.sleep(_LOOK_S)
