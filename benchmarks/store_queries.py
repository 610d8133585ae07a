"""`python -m benchmarks.store_queries`: what the page's questions cost in a store of 90 days; one thread, no content.

The store is made first (about a minute a million spans on one core) unless --store names a file that exists.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from benchmarks.history import DAYS, make_history
from benchmarks.report import machine
from spandeck_collector.store.database import open_database

BOUNDS_MS = {"24 h": 50, "7 d": 150, "90 d": 300, "one trace": 50}
_RANGES = {"24 h": timedelta(hours=24), "7 d": timedelta(days=7), "90 d": timedelta(days=90)}
_UNTIL = datetime(2026, 11, 30, 12, tzinfo=UTC).replace(tzinfo=None)
_PARAMETER = re.compile(r"\$([a-z_]+)")
_MEMORY = "1GB"
_SCAN = """
    select kind, count(*), avg(duration_ms), sum(input_tokens) from store.spans
    where started_at >= ? and started_at < ? group by kind
"""
_SCAN_OF_TRACE = "select count(*) from store.spans where trace_id = ?"


@dataclass(frozen=True)
class Answer:
    """Median milliseconds of one question, waited and of CPU; `scan_ratio` is its CPU by that of a plain scan.

    The plain scan reads the spans of the range; for one trace it looks for its id in all spans.
    """

    query: str
    extent: str
    wait_ms: float
    cpu_ms: float
    scan_ratio: float
    row_count: int

    @property
    def is_within(self) -> bool:
        """Whether the CPU time is within the bound of its extent."""
        return self.cpu_ms <= BOUNDS_MS[self.extent]


def questions() -> Iterator[tuple[str, str]]:
    """Name and text of the page's queries."""
    for entry in sorted(files("spandeck_dashboard").joinpath("sql").iterdir(), key=str):
        if entry.name.endswith(".sql"):
            yield entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8")


def measure(connection: duckdb.DuckDBPyConnection, repeats: int, progress: Callable[[], None]) -> list[Answer]:
    """Ask every question of every range, and those of one trace."""
    answers: list[Answer] = []
    for extent, length in _RANGES.items():
        # Not on the hour: ranges of the page end at some minute.
        until = _UNTIL - timedelta(minutes=25)
        values = {"before": until - 2 * length, "since": until - length, "until": until, "now": until}
        _, scan_ms, _ = _timed(connection, _SCAN, [values["since"], until], repeats)
        for name, text in questions():
            if "$since" in text:
                answers.append(_answer(connection, (name, extent), (text, values), scan_ms, repeats))
            progress()
    return answers + list(_of_one_trace(connection, repeats))


def _of_one_trace(connection: duckdb.DuckDBPyConnection, repeats: int) -> Iterator[Answer]:
    when = _UNTIL - timedelta(days=DAYS // 3)
    found = connection.execute(
        "select trace_id, root_span_id from store.traces where started_at >= ? limit 1", [when]
    ).fetchall()
    values = dict(zip(("trace", "span"), found[0], strict=True))
    _, scan_ms, _ = _timed(connection, _SCAN_OF_TRACE, [values["trace"]], repeats)
    for name, text in questions():
        if "$trace" in text:
            yield _answer(connection, (name, "one trace"), (text, values), scan_ms, repeats)


def _answer(
    connection: duckdb.DuckDBPyConnection,
    named: tuple[str, str],
    asked: tuple[str, dict[str, Any]],
    scan_ms: float,
    repeats: int,
) -> Answer:
    text, values = asked
    bound = [values.get(name, False if name.startswith("only_") else None) for name in _PARAMETER.findall(text)]
    wait_ms, cpu_ms, row_count = _timed(connection, _PARAMETER.sub("?", text), bound, repeats)
    return Answer(*named, wait_ms, cpu_ms, cpu_ms / scan_ms, row_count)


def _timed(
    connection: duckdb.DuckDBPyConnection, sql: str, params: list[Any], repeats: int
) -> tuple[float, float, int]:
    """Median wall and CPU milliseconds after one run that is not measured, planning included; the rows."""
    row_count = len(connection.execute(sql, params).fetchall())
    waits, cpus = [], []
    for _ in range(repeats):
        began, began_cpu = time.perf_counter(), time.process_time()
        connection.execute(sql, params).to_arrow_table()
        waits.append((time.perf_counter() - began) * 1e3)
        cpus.append((time.process_time() - began_cpu) * 1e3)
    return statistics.median(waits), statistics.median(cpus), row_count


def print_answers(answers: list[Answer], around: dict[str, Any]) -> None:
    """Print a table to stdout, the dearest of each range first."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(", ".join(f"{name} {value}" for name, value in around.items()), highlight=False)
    titles = ("ms waited", "ms of CPU", "of a plain scan", "rows", "expected")
    table = Table("query", "range", *(Column(title, justify="right") for title in titles))
    for answer in sorted(answers, key=lambda answer: (list(BOUNDS_MS).index(answer.extent), -answer.cpu_ms)):
        expected = f"{'' if answer.is_within else 'MISSED '}<= {BOUNDS_MS[answer.extent]}"
        figures = (f"{answer.wait_ms:,.1f}", f"{answer.cpu_ms:,.1f}", f"{answer.scan_ratio:.2f}")
        table.add_row(answer.query, answer.extent, *figures, f"{answer.row_count:,}", expected)
    console.print(table)


@contextmanager
def _store(options: argparse.Namespace, progress: Progress) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="spandeck-bench-") as folder:
        path = options.store or Path(folder) / "history.duckdb"
        if not path.exists():
            task = progress.add_task(f"making {options.spans:,} spans", total=DAYS)
            for day in make_history(path, options.spans, _UNTIL):
                progress.update(task, completed=day)
        yield path


def main() -> int:
    """Measure and print; 1 where a bound is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store_queries", description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans of the store that is made")
    parser.add_argument("--store", type=Path, help="where the store is kept; one that exists is used as it is")
    parser.add_argument("--repeats", type=int, default=5, help="measured runs of each query")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress, _store(options, progress) as path:
        connection = open_database(path, _MEMORY)
        task = progress.add_task("asking", total=len(_RANGES) * len(list(questions())))
        answers = measure(connection, options.repeats, lambda: progress.advance(task))
        around = machine() | _size(connection, path)
        connection.close()
    if options.json:
        print(json.dumps(around | {"answers": [asdict(answer) for answer in answers]}, indent=1))
    else:
        print_answers(answers, around)
    return 0 if all(answer.is_within for answer in answers) else 1


def _size(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Any]:
    ((span_count,),) = connection.execute("select count(*) from store.spans").fetchall()
    return {"span_count": span_count, "bytes_per_span": round(path.stat().st_size / span_count, 1)}


if __name__ == "__main__":
    sys.exit(main())
