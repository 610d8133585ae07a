"""Large requests are stored in parts, and the journal is freed by bytes as well as by rows."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from spandeck_collector.journal import JournalFullError, JournalReader, JournalWriter, Position, Record, Signal
from spandeck_collector.settings import Settings
from spandeck_collector.store.database import open_database
from spandeck_collector.store.decode import decode
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.tail import Tail

from .store_fixtures import trace_request

pytestmark = pytest.mark.integration


def record(numbers: range, offset: int) -> Record:
    return Record(Signal.TRACES, time.time_ns(), trace_request(numbers), Position(1, offset))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(tmp_path / "spandeck.duckdb", "500MB") as connection:
        yield connection


def fill(writer: JournalWriter, body: bytes) -> None:
    """Append until the journal is full."""
    try:
        for _ in range(1_000):
            writer.submit(Signal.TRACES, body, time.time_ns()).result(30)
    except JournalFullError:
        return
    raise AssertionError("The journal never was full.")


def test_a_batch_holds_at_most_so_many_spans_and_names_what_is_through() -> None:
    """The second record is cut; its position comes with its last part."""
    records = [record(range(1, 4), 10), record(range(4, 14), 20), record(range(14, 15), 30)]
    parts = [(len(batch.spans), position) for batch, position in decode(records, most_spans=5)]
    assert parts == [(5, Position(1, 10)), (5, Position(1, 10)), (4, Position(1, 30))]


def test_spans_of_a_cut_record_keep_their_resource(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    ingest = Ingest(database, tmp_path / "quarantine")
    ingest.store([record(range(1, 25_001), 10)])
    counted = database.sql("select count(*), count(distinct span_id), count(distinct service) from spans").fetchall()
    assert counted == [(25_000, 25_000, 1)]
    assert database.sql("select count(*) from spans where service is null").fetchall() == [(0,)]
    assert ingest.position() == Position(1, 10)


def test_a_record_that_comes_again_after_its_first_part_is_stored_once(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ingest = Ingest(database, tmp_path / "quarantine")
    first = record(range(1, 20_001), 10)
    ingest.store([first])
    ingest.store([record(range(1, 25_001), 20)])
    assert database.sql("select count(*), count(distinct span_id) from spans").fetchall() == [(25_000, 25_000)]


def test_a_journal_that_was_full_takes_records_again_while_refusals_go_on(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Neither the number of rows nor a quiet time is needed."""
    settings = Settings(data_dir=tmp_path, journal_segment_bytes=1 << 20, journal_limit_bytes=4 << 20)
    folder = tmp_path / "journal"
    writer = JournalWriter(
        folder, segment_bytes=settings.journal_segment_bytes, limit_bytes=settings.journal_limit_bytes
    )
    refusals = json.dumps({"refusals": []}).encode()
    body = trace_request(range(1, 101), filler="y" * 1_000)
    fill(writer, body)
    ingest = Ingest(database, tmp_path / "quarantine")
    tail = Tail(JournalReader(folder, ingest.position()), ingest, settings)
    while records := tail._reader.read(1 << 20):
        tail._store(records)
    writer.submit(Signal.REFUSALS, refusals, time.time_ns()).result(30)
    writer.submit(Signal.TRACES, body, time.time_ns()).result(30)
    writer.close()
