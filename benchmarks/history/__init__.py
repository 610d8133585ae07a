"""A store of many days, its rows made in SQL as ingestion would have made them; content is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from spandeck_collector.store.database import open_database
from spandeck_collector.store.rollup import Rollup, create_tables
from spandeck_schema import catalog

DAYS = 90
TRACE_SPANS = 12
_DAYS_A_CHECKPOINT = 6
_MEMORY = "4GB"
_FOLDER = Path(__file__).parent
_TABLES = ("spans", "calls", "traces")
_CHANGES = {"call_changes": "day_calls", "span_changes": "day_spans", "trace_changes": "day_traces"}


def make_history(path: Path, span_count: int, until: datetime) -> Iterator[int]:
    """Create a store at `path` of about `span_count` spans in the 90 days before `until` (UTC); yields days done."""
    connection = open_database(path, _MEMORY)
    # Which of two equal draws a row gets must not depend on the machine: a draw is a hash.
    connection.execute("create temp macro draw(number, salt) as hash(hash(number, salt)) / 1.8446744073709552e19")
    create_tables(connection)
    rollup = Rollup(connection)
    trace_count = max(span_count // DAYS // TRACE_SPANS, 1)
    for day in range(DAYS):
        begin = until - timedelta(days=DAYS - day)
        rollup.add(_make_day(connection, begin, day * trace_count, trace_count))
        if (day + 1) % _DAYS_A_CHECKPOINT == 0:
            rollup.merge()
            connection.execute("checkpoint")
        yield day + 1
    connection.close()


def _make_day(connection: duckdb.DuckDBPyConnection, day: datetime, first: int, trace_count: int) -> int:
    """Fill a day; how many changes it makes to the roll-ups."""
    values = {"$day": f"'{day}'", "$first": str(first), "$trace_count": str(trace_count)}
    for name in _TABLES:
        sql = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        for parameter, value in values.items():
            sql = sql.replace(parameter, value)
        connection.execute(f"create or replace temp table day_{name} as {sql}")
        connection.execute(f"insert into store.{name} by name select * from day_{name}")
    changes = ", ".join(f"{name} as (select 1 as sign, * from {table})" for name, table in _CHANGES.items())
    groups = catalog.sql("rollup", "group_changes")
    inserted = connection.execute(
        f"insert into store.rollup_hour by name with {changes} select * from ({groups}) as groups"
    ).fetchall()
    return int(inserted[0][0])
