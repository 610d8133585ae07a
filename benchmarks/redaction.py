"""`python -m benchmarks.redaction`: what it costs to keep secrets out of the store, by span and on one core; a minute.

Two loads: agent runs with 1 to 4 KB of text a call, and the recorded exports of `tests/captures`. Microseconds are CPU
time of one thread, the least of three runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice

import duckdb
from rich.console import Console
from rich.table import Column, Table

from benchmarks.agent_spans import Body
from benchmarks.capture_spans import capture_bodies
from benchmarks.meaning import agent_bodies
from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.redaction import redacted_bodies
from spandeck_collector.store.decode import decode
from spandeck_collector.store.redactor import redact_records, suspect_texts
from spandeck_schema.secrets import hint

_RUNS = 3
_BODIES = {"agent runs": (agent_bodies, 20), "captures": (capture_bodies, 600)}
_REPLACED = "regexp_replace({}, '{}', '[REDACTED]', 'g')"


@dataclass(frozen=True)
class Cost:
    """Microseconds a span, but `one_look_ms`, which every batch pays.

    `decode_us` is what the store does with a record anyway. `look_us` is the look at a batch without secrets; where
    that finds something, `search_us` is added for the requests that it found. `before_journal_us` is what the setting
    SPANDECK_REDACT_BEFORE_JOURNAL costs the receiver, `sql_us` what replacing in SQL would cost.
    """

    load: str
    decode_us: float
    look_us: float
    one_look_ms: float
    search_us: float
    before_journal_us: float
    sql_us: float


def measure(load: str, bodies: Iterator[Body], count: int) -> Cost:
    """The costs for `count` requests."""
    taken = list(islice(bodies, count))
    spans = sum(body.span_count for body in taken)
    records = [Record(Signal.TRACES, 0, body.payload, Position(1, number)) for number, body in enumerate(taken)]
    exports = [(record.signal, record.body) for record in records]
    few = exports[: max(count // 10, 1)]
    few_spans = sum(body.span_count for body in taken[: len(few)])
    tiny = [records[0]._replace(body=b"\0")]
    return Cost(
        load,
        decode_us=_cpu_us(lambda: list(decode(records))) / spans,
        look_us=_cpu_us(lambda: redact_records(records)) / spans,
        one_look_ms=_cpu_us(lambda: redact_records(tiny)) / 1000,
        search_us=_cpu_us(lambda: redacted_bodies(exports, suspect_texts)) / spans,
        before_journal_us=_cpu_us(lambda: redacted_bodies(few)) / few_spans,
        sql_us=_sql_us(records) / spans,
    )


def _sql_us(records: list[Record]) -> float:
    """The same pattern over attributes and content in DuckDB; events, status and resources would come on top."""
    batches = [batch for batch, _ in decode(records)]
    pattern = hint().replace("'", "''")
    value, content = (_REPLACED.format(name, pattern) for name in ("each", "content"))
    connection = duckdb.connect(config={"threads": "1"})
    connection.register("spans", batches[0].spans.table(batches[0].resources))
    connection.register("parts", batches[0].contents.parts_table())
    connection.execute("create table attributes as select map_values(attributes) as texts from spans")
    connection.execute("create table contents as select content from parts")
    statements = (
        f"create or replace table clean_1 as select list_transform(texts, lambda each: {value}) from attributes",
        f"create or replace table clean_2 as select {content} from contents",
    )
    return sum(_cpu_us(lambda statement=statement: connection.execute(statement)) for statement in statements)  # type: ignore[misc]


def _cpu_us(work: Callable[[], object]) -> float:
    least = float("inf")
    for _ in range(_RUNS):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return least * 1e6


def main() -> int:
    """Measure and print; the figures do not decide the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redaction", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    costs = [measure(load, make(), count) for load, (make, count) in _BODIES.items()]
    if options.json:
        print(json.dumps([asdict(cost) for cost in costs]))
        return 0
    titles = ("decode", "look", "ms a batch", "search", "before the journal", "in SQL")
    table = Table("µs a span", *(Column(title, justify="right") for title in titles))
    for cost in costs:
        load, *figures = asdict(cost).values()
        table.add_row(load, *(f"{figure:,.2f}" for figure in figures))
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
