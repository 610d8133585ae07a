"""`python -m benchmarks.meaning`: what it costs to understand spans, on one core; about a minute.

Normalizing takes the decoded rows of the incoming tables to mapped spans, settling takes these to calls and traces;
neither decoding nor inserting into the store's tables is in it. Seconds are CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Column, Table

from benchmarks.agent_spans import Body, templates
from benchmarks.capture_spans import capture_bodies
from benchmarks.statements import StatementClock
from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.store.database import open_database
from spandeck_collector.store.ingest import Ingest

SPANS = 100_000
BATCH_SPANS = 20_000
EXPECTED = ">= 50,000"
_MEMORY = "2GB"
_BODY_SPANS = 504
_LEAST_US = 0.05
_ALONE = 20
_TABLES = ("store.spans", "store.span_events", "store.calls", "store.traces")
_MEANING = ("fill_", "unnamed_models")


@dataclass(frozen=True)
class Meaning:
    """Of `span_count` spans: CPU seconds of the SQL that understands them, and of plain insertion of what it made.

    `alone_ms` is what that SQL takes for a batch of one request, as they come on a quiet day.
    """

    load: str
    span_count: int
    meaning_s: float
    plain_insert_s: float
    alone_ms: float
    statement_us: dict[str, float]

    @property
    def spans_per_s(self) -> float:
        """Spans normalized and settled in a second of one core."""
        return self.span_count / self.meaning_s

    @property
    def ratio(self) -> float:
        """Understanding, by plain insertion: 2 means twice its time."""
        return self.meaning_s / self.plain_insert_s


def measure_meaning(load: str, bodies: Iterator[Body], folder: Path, spans: int = SPANS) -> Meaning:
    """Store `spans` spans in batches of 20,000 after one batch that is not measured, in a new file in `folder`."""
    clock = StatementClock(open_database(folder / f"{load}.duckdb", _MEMORY))
    ingest = Ingest(clock.as_connection(), folder / "quarantine")
    numbered = zip(count(1), bodies)
    batches = _batches(numbered)
    ingest.store(next(batches)[0])
    clock.cpu_s.clear()
    measured = 0
    while measured < spans:
        records, size = next(batches)
        ingest.store(records)
        measured += size
    meaning_s = clock.of(*_MEANING)
    statement_us = {name: seconds / measured * 1e6 for name, seconds in clock.dearest()}
    insert_s, stored = _plain_insert_s(clock.connection, folder / f"{load}-plain.duckdb")
    clock.cpu_s.clear()
    for number, body in islice(numbered, _ALONE):
        ingest.store([_record(number, body)])
    clock.connection.close()
    alone_ms = clock.of(*_MEANING) / _ALONE * 1e3
    return Meaning(load, measured, meaning_s, insert_s * measured / stored, alone_ms, statement_us)


def agent_bodies() -> Iterator[Body]:
    """The load of the other benchmarks, in whole traces."""
    made = templates(40, _BODY_SPANS, seed=1)
    for number in count():
        yield made[number % len(made)].body(number)


def measure_all(spans: int = SPANS) -> list[Meaning]:
    """Both loads, each in a file of its own."""
    loads = {"captures": capture_bodies, "agent runs": agent_bodies}
    with tempfile.TemporaryDirectory(prefix="spandeck-bench-") as folder:
        return [measure_meaning(name, make(), Path(folder), spans) for name, make in loads.items()]


def _batches(numbered: Iterator[tuple[int, Body]]) -> Iterator[tuple[list[Record], int]]:
    records: list[Record] = []
    size = 0
    for number, body in numbered:
        if size + body.span_count > BATCH_SPANS:
            yield records, size
            records, size = [], 0
        records.append(_record(number, body))
        size += body.span_count


def _record(number: int, body: Body) -> Record:
    return Record(Signal.TRACES, time.time_ns(), body.payload, Position(1, number))


def _plain_insert_s(source: duckdb.DuckDBPyConnection, path: Path) -> tuple[float, int]:
    """CPU seconds to insert the rows of what a batch writes into an empty file, with its checkpoint; the spans."""
    target = open_database(path, _MEMORY)
    seconds, spans = 0.0, source.table("store.spans").count("*").fetchall()[0][0]
    for table in _TABLES:
        rows = source.execute(f"from {table}").to_arrow_table()
        began = time.process_time()
        for start in range(0, rows.num_rows, BATCH_SPANS):
            target.execute("begin")
            target.from_arrow(rows.slice(start, BATCH_SPANS)).insert_into(table)
            target.execute("commit")
        seconds += time.process_time() - began
    began = time.process_time()
    target.execute("checkpoint")
    seconds += time.process_time() - began
    target.close()
    return seconds, spans


def print_meaning(measured: list[Meaning], *, verbose: bool) -> None:
    """Print a table to stdout; with `verbose` one of every statement of a batch too."""
    console = Console(width=None if sys.stdout.isatty() else 100)
    titles = ("spans", "spans/s of a core", "of plain insertion", "ms a request alone")
    table = Table("load", *(Column(title, justify="right") for title in titles))
    for each in measured:
        figures = (f"{each.span_count:,}", f"{each.spans_per_s:,.0f}", f"{each.ratio:.2f}", f"{each.alone_ms:.1f}")
        table.add_row(each.load, *figures)
    console.print(table, f"spans/s expected: {EXPECTED}")
    if verbose:
        for each in measured:
            console.print(_statements(each))


def _statements(each: Meaning) -> Table:
    """Those that cost anything, the dearest first."""
    table = Table("statement", Column("µs a span", justify="right"), "part", title=each.load)
    for name, micros in each.statement_us.items():
        if micros >= _LEAST_US:
            table.add_row(name, f"{micros:.2f}", "meaning" if name.startswith(_MEANING) else "")
    return table


def main() -> int:
    """Measure, print, and say by the exit code nothing about the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.meaning", description=__doc__)
    parser.add_argument("--spans", type=int, default=SPANS, help="spans measured of each load")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--verbose", action="store_true", help="print what every statement of a batch costs")
    options = parser.parse_args()
    measured = measure_all(options.spans)
    if options.json:
        print(json.dumps([asdict(each) | {"spans_per_s": each.spans_per_s, "ratio": each.ratio} for each in measured]))
    else:
        print_meaning(measured, verbose=options.verbose)
    return 0


if __name__ == "__main__":
    sys.exit(main())
