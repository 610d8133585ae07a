"""A batch leaves nothing behind but its rows."""

from pathlib import Path

import duckdb
import pytest

from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.store.database import open_database
from spandeck_collector.store.ingest import Ingest

from .store_fixtures import trace_request


def record(number: int) -> Record:
    return Record(Signal.TRACES, number * 10**9, trace_request([number], filler="x" * 500), Position(1, number))


@pytest.mark.integration
def test_temporary_tables_are_empty_after_a_batch(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "spandeck.duckdb", "300MB")
    ingest = Ingest(connection, tmp_path)
    ingest.store([record(number) for number in range(1, 50)])
    tables = connection.sql("select table_name from duckdb_tables() where temporary").fetchall()
    assert len(tables) > 10
    for (name,) in tables:
        assert connection.sql(f"select count(*) from temp.{name}").fetchall() == [(0,)], name
    connection.close()


@pytest.mark.load
def test_2_000_small_batches_take_no_more_memory_than_200(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "spandeck.duckdb", "300MB")
    ingest = Ingest(connection, tmp_path)
    used = {}
    for number in range(1, 2_001):
        ingest.store([record(number)])
        if number % 200 == 0:
            ingest.checkpoint(wait_for_queries=True)
            used[number] = (_resident_mb(), _buffers_mb(connection))
    assert used[2_000][0] < used[200][0] + 60
    assert used[2_000][1] < used[200][1] + 10
    connection.close()


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def _buffers_mb(connection: duckdb.DuckDBPyConnection) -> float:
    ((megabytes,),) = connection.sql("select sum(memory_usage_bytes) / 1e6 from duckdb_memory()").fetchall()
    return float(megabytes)
