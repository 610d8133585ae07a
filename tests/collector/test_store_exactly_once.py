"""Every acknowledged span is stored once: through kills, restarts, damaged records and short memory."""

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from spandeck_collector.journal import JournalReader, JournalWriter, Position, Signal
from spandeck_collector.settings import Settings
from spandeck_collector.store.database import DatabaseError, open_database
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.tail import Tail
from tests.support.waiting import DEADLINE_S, eventually

from .store_fixtures import Store, append, journal, running_store, trace_request

pytestmark = pytest.mark.integration


class Sender(threading.Thread):
    """Appends spans of ever new numbers, resends some, and keeps what was acknowledged."""

    def __init__(self, writer: JournalWriter) -> None:
        super().__init__(daemon=True)
        self._writer = writer
        self._random = random.Random(7)
        self.acknowledged = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            count = self._random.randint(1, 20)
            numbers = range(self.acknowledged + 1, self.acknowledged + count + 1)
            append(self._writer, trace_request(numbers))
            if self._random.random() < 0.3:
                append(self._writer, trace_request(numbers))
            self.acknowledged += count
            time.sleep(self._random.random() / 100)


def stored_counts(store: Store) -> tuple[int, int, int]:
    ((spans, distinct, traces),) = store.rows(
        "select count(*), count(distinct trace_id), (select count(*) from traces) from spans"
    )
    return spans, distinct, traces


def test_kill_9_of_the_store_loses_no_span_and_stores_none_twice(tmp_path: Path) -> None:
    """Five kills at random moments, the segments small enough that several are finished and removed meanwhile."""
    moments = random.Random(11)
    with journal(tmp_path) as writer:
        sender = Sender(writer)
        sender.start()
        for _ in range(5):
            store = Store(tmp_path, checkpoint_rows=500)
            store.wait_until_ready()
            time.sleep(moments.random() * 0.7)
            store.kill()
        sender.done.set()
        sender.join(DEADLINE_S)
        with running_store(tmp_path) as store:
            wanted = (sender.acknowledged,) * 3
            eventually(lambda: stored_counts(store) == wanted, lambda: (stored_counts(store), wanted))
            ((received, stored, duplicates),) = store.rows(
                "select received_count, stored_count, duplicate_count from ingest_health"
            )
            assert stored == sender.acknowledged
            assert received == stored + duplicates
            assert store.stop() == 0


def test_a_restart_resumes_and_finished_segments_go(tmp_path: Path) -> None:
    with journal(tmp_path, segment_bytes=1 << 20) as writer:
        for first in range(1, 4_001, 200):
            append(writer, trace_request(range(first, first + 200), filler="x" * 1_000))
        segments = len(list((tmp_path / "journal").glob("*.journal")))
        assert segments > 3
        with running_store(tmp_path) as store:
            eventually(lambda: stored_counts(store)[0] == 4_000, lambda: stored_counts(store))
            assert store.stop() == 0
        assert len(list((tmp_path / "journal").glob("*.journal"))) == 1
        append(writer, trace_request([4_001]))
        with running_store(tmp_path) as store:
            eventually(lambda: stored_counts(store) == (4_001, 4_001, 4_001), lambda: stored_counts(store))


def test_a_second_store_on_the_same_file_says_so(tmp_path: Path) -> None:
    with running_store(tmp_path):
        second = Store(tmp_path)
        assert second.process.wait(DEADLINE_S) == 2
    assert "Stop the other process that uses it" in (tmp_path / "store.log").read_text()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An open database."""
    connection = open_database(tmp_path / "spandeck.duckdb", "300MB")
    yield connection
    connection.close()


@pytest.mark.parametrize(("version", "advice"), [(99, "install the newer Spandeck"), (1, "move the file away")])
def test_a_file_of_another_version_is_refused(
    version: int, advice: str, tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    database.execute(f"update store.about set schema_version = {version}")
    database.close()
    with pytest.raises(DatabaseError, match=f"has schema version {version}, .*{advice}"):
        open_database(tmp_path / "spandeck.duckdb", "300MB")


@pytest.mark.parametrize(
    ("signal", "body"),
    [
        (Signal.TRACES, b"\x0a\xff\xff"),
        (Signal.LOGS, b"\xff"),
        (Signal.METRICS, b"\x08"),
        (Signal.REFUSALS, b"not JSON"),
        (Signal.REFUSALS, b"{}"),
        (Signal.REFUSALS, b'{"refusals": [{"signal": "traces"}]}'),
        (Signal.REFUSALS, b'{"refusals": [{"signal": "traces", "count": "many", "reason": "r", "last_at_ns": 1}]}'),
        (Signal.REFUSALS, b"[]"),
    ],
    ids=str,
)
def test_a_record_that_cannot_be_stored_is_set_aside_and_counted(
    signal: Signal, body: bytes, tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    """What came before and after it in the batch is stored."""
    with journal(tmp_path) as writer:
        for good in ([1], [2]):
            append(writer, trace_request(good))
        append(writer, body, signal)
        append(writer, trace_request([3]))
    records = JournalReader(tmp_path / "journal", Position(0, 0)).read(1 << 20)
    ingest = Ingest(database, tmp_path / "quarantine")
    ingest.store(records)
    assert database.sql("select count(*) from spans").fetchall() == [(3,)]
    assert ingest.position() == records[-1].position
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert kept.read_bytes() == body
    refused = database.sql("select signal, refused_count, refusal_reason from ingest_health where refused_count > 0")
    assert refused.fetchall() == [(signal.name.lower(), 1, "A request could not be stored.")]


def test_when_memory_is_short_what_was_stored_is_not_stored_again(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged record splits the batch; its first part is stored when memory runs out in the second."""
    with journal(tmp_path) as writer:
        append(writer, json.dumps({"refusals": [_refusal()]}).encode(), Signal.REFUSALS)
        append(writer, b"\xff")
        append(writer, trace_request(range(1, 2_001), filler="y" * 12_000))
    ingest = Ingest(database, tmp_path / "quarantine")
    tail = Tail(JournalReader(tmp_path / "journal", ingest.position()), ingest, Settings(data_dir=tmp_path))
    database.execute("set memory_limit = '32MB'")
    database.execute("set max_temp_directory_size = '0B'")
    runner = threading.Thread(target=tail.run, daemon=True)
    runner.start()
    reader = database.cursor()
    eventually(lambda: bool(reader.sql("select 1 from ingest_health where refused_count > 0").fetchall()))
    eventually(lambda: caplog.text.count("Memory is short") > 1)
    assert reader.sql("select count(*) from spans").fetchall() == [(0,)]
    reader.execute("set memory_limit = '300MB'")
    eventually(lambda: reader.sql("select count(*) from spans").fetchall() == [(2_000,)])
    tail.stop()
    runner.join(DEADLINE_S)
    assert not runner.is_alive()
    assert reader.sql("select sum(refused_count) from ingest_health where signal = 'logs'").fetchall() == [(5,)]


def _refusal() -> dict[str, str | int]:
    return {"signal": "logs", "reason": "Too large.", "count": 5, "last_at_ns": 1_777_896_000_000_000_000}


def test_a_damaged_place_in_the_journal_is_counted_and_kept(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    """Only the record that is hit is lost; the one behind it is stored."""
    for numbers in ([1, 2, 3], [4]):
        with journal(tmp_path) as writer:
            for number in numbers:
                append(writer, trace_request([number], marker=f"marker-{number}"))
    (segment, _) = sorted((tmp_path / "journal").glob("*.journal"))
    whole = segment.read_bytes()
    segment.write_bytes(whole.replace(b"marker-2", b"MARKER-2"))
    ingest = Ingest(database, tmp_path / "quarantine")
    tail = Tail(JournalReader(tmp_path / "journal", ingest.position()), ingest, Settings(data_dir=tmp_path))
    runner = threading.Thread(target=tail.run, daemon=True)
    runner.start()
    reader = database.cursor()
    eventually(lambda: reader.sql("select count(*) from spans").fetchall() == [(3,)])
    tail.stop()
    runner.join(DEADLINE_S)
    refused = reader.sql("select refused_count, refusal_reason from ingest_health where refused_count > 0")
    assert refused.fetchall() == [(1, "A request was lost by damage to the journal.")]
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == [segment.name]
