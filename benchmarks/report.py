"""A run as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import math
import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import meaning
from benchmarks.measure import BODY_SPANS, Plan, Result

_VERSIONS = ("spandeck", "duckdb", "pyarrow", "protobuf", "uvicorn", "streamlit", "opentelemetry-proto")
_PER_MILLION = 1e6


@dataclass(frozen=True)
class Line:
    """One figure: its name, value and unit; `expected` is what a release must reach, as words."""

    name: str
    value: float
    unit: str
    expected: str = ""


def surroundings(plan: Plan) -> dict[str, Any]:
    """Date, machine, versions and plan of this run."""
    return machine() | {
        "plan": {
            "full_speed_span_count": plan.bodies * BODY_SPANS,
            "paced_spans_per_s": plan.paced_spans_per_s,
            "paced_s": plan.paced_s,
        },
    }


def machine() -> dict[str, Any]:
    """Date, machine and versions; nothing that names the machine or its owner."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "processor_count": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _VERSIONS},
    }


def lines(result: Result) -> list[Line]:
    """Every figure, in reading order."""
    return [
        Line("start to ready", result.seconds_to_ready, "s", "<= 5"),
        Line("span on the wire", result.span_bytes, "bytes"),
        Line("acknowledged at full speed", result.sent.span_count / result.sent.seconds, "spans/s"),
        Line("acknowledgement p50", quantile(result.sent.latencies_ms, 0.5), "ms"),
        Line("acknowledgement p99", quantile(result.sent.latencies_ms, 0.99), "ms"),
        Line("queryable at full speed", result.queryable_per_s, "spans/s", ">= 5,000"),
        *_baseline(result),
        *(
            Line(f"CPU {name}", seconds / result.sent.span_count * _PER_MILLION, "s per 1M spans")
            for name, seconds in result.load_cpu_s.items()
        ),
        *_memory(result),
        Line("database on disk", result.database_bytes_per_span, "bytes a span"),
        *_freshness(result),
        *_meaning(result),
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """The value at `share` of the sorted values, interpolated; NaN of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def print_table(result: Result, around: dict[str, Any]) -> None:
    """Print the figures to stdout."""
    console = Console(width=None if os.isatty(1) else 100)
    console.print(
        f"{around['measured_at']}  {around['processor']}, {around['processor_count']} CPUs, "
        f"{around['memory_gib']} GiB, load {around['load_average_1m']}; Python {around['python']}, "
        + ", ".join(f"{name} {number}" for name, number in around["versions"].items()),
        highlight=False,
    )
    table = Table()
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("expected")
    for line in lines(result):
        table.add_row(line.name, _number(line.value), line.unit, line.expected)
    console.print(table)


def as_json(result: Result, around: dict[str, Any]) -> str:
    """The run as one JSON object."""
    figures = [{"name": line.name, "value": line.value, "unit": line.unit} for line in lines(result)]
    return json.dumps({**around, "figures": figures}, indent=1)


def _baseline(result: Result) -> Iterator[Line]:
    if result.baseline:
        rate = result.baseline.rows_per_s
        yield Line("plain DuckDB insert of these rows", rate, "rows/s")
        yield Line("queryable, of the plain insert", result.queryable_per_s / rate, "ratio")
        yield Line("plain DuckDB on disk", result.baseline.bytes_per_row, "bytes a row")


def _memory(result: Result) -> Iterator[Line]:
    stages = {"at rest": result.rest_rss_mib, "under load": result.load_rss_mib, "after load": result.after_rss_mib}
    for stage, by_process in stages.items():
        for name, mib in by_process.items():
            yield Line(f"RSS {stage}, {name}", mib, "MiB")
        yield Line(f"RSS {stage}, together", sum(by_process.values()), "MiB", "<= 600" if stage == "at rest" else "")


def _freshness(result: Result) -> Iterator[Line]:
    paced = result.paced
    if paced is None:
        return
    yield Line("paced load reached", paced.span_count / paced.seconds, "spans/s")
    yield Line("paced acknowledgement p99", quantile(paced.acknowledged_after_ms, 0.99), "ms")
    yield Line("acknowledged to queryable p50", quantile(paced.visible_after_ms, 0.5), "ms")
    yield Line("acknowledged to queryable p99", quantile(paced.visible_after_ms, 0.99), "ms", "<= 1,000")
    yield Line("acknowledged to queryable, longest", max(paced.visible_after_ms, default=float("nan")), "ms")
    for name, seconds in result.paced_cpu_s.items():
        yield Line(f"CPU at the paced load, {name}", seconds / paced.seconds, "cores")


def _meaning(result: Result) -> Iterator[Line]:
    for each in result.meaning:
        yield Line(f"normalized and settled, {each.load}", each.spans_per_s, "spans/s of a core", meaning.EXPECTED)
        yield Line(f"the same, by plain insertion, {each.load}", each.ratio, "ratio")
        yield Line(f"the same, one request alone, {each.load}", each.alone_ms, "ms")


def _number(value: float) -> str:
    if math.isnan(value):
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.machine()
