"""A record that ends the store, and errors that nobody foresaw: the rest is stored, the record kept and counted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from spandeck_collector.journal import JournalReader, Position
from spandeck_collector.store import ingest as ingest_module
from spandeck_collector.store.attempts import DEATHS_TO_SET_ASIDE, DEATHS_TO_SINGLE, ENDED_WITH, Attempts
from spandeck_collector.store.database import open_database
from spandeck_collector.store.decode import decode
from spandeck_collector.store.ingest import Ingest
from tests.support.site import clean_environment, free_ports
from tests.support.waiting import DEADLINE_S, eventually

from .store_fixtures import append, journal, trace_request

pytestmark = pytest.mark.integration

# The store as it is, but a record that holds the word ends the process as a crash in native code does.
_STORE = """
import os, sys
from spandeck_collector.store import __main__ as store, ingest
decode = ingest.decode
def decode_or_die(records, **more):
    if any(b"poison" in record.body for record in records):
        os.abort()
    return decode(records, **more)
ingest.decode = decode_or_die
sys.exit(store.main())
"""


def test_a_record_that_ends_the_store_is_set_aside_after_a_few_starts(tmp_path: Path) -> None:
    with journal(tmp_path) as writer:
        for number in range(1, 8):
            append(writer, trace_request([number], marker="poison" if number == 4 else "fine"))
    deaths, ended_with = 0, 0
    while (ended_with := _run_store(tmp_path, ended_with)) == -signal.SIGABRT:
        deaths += 1
        assert deaths < 20
    # Twice with the first batch, once with the record alone behind those that are stored, then as often as it takes.
    assert deaths == DEATHS_TO_SINGLE + DEATHS_TO_SET_ASIDE
    with duckdb.connect(str(tmp_path / "spandeck.duckdb"), read_only=True) as database:
        spans = database.sql("select span_id from store.spans order by 1").fetchall()
        refused = database.sql("select refused_count, refusal_reason from ingest_health where refused_count > 0")
        assert refused.fetchall() == [(1, "A request could not be stored.")]
    assert [int(span_id, 16) for (span_id,) in spans] == [1, 2, 3, 5, 6, 7]
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert b"poison" in kept.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0


def _run_store(folder: Path, ended_with: int) -> int:
    """Run the store until it ended, or has stored everything: then it is asked to end."""
    end = JournalReader(folder / "journal", Position(0, 0))
    end.read(1 << 20)
    with (folder / "store.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _STORE],
            env=free_ports() | clean_environment(data_dir=folder, store_ended_with=ended_with),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    mark = f"{end.position.segment} {end.position.offset}"
    eventually(lambda: process.poll() is not None or _stored(folder) == mark)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    return process.wait(DEADLINE_S)


def _stored(folder: Path) -> str:
    path = folder / "journal" / "stored"
    return path.read_text().strip() if path.exists() else ""


@pytest.mark.parametrize("error", [RecursionError, AttributeError, duckdb.NotSupportedError, AssertionError])
def test_an_error_that_nobody_foresaw_costs_one_record(
    tmp_path: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:

    def _decode_or_fail(records, **more):  # type: ignore[no-untyped-def]
        if any(b"poison" in record.body for record in records):
            raise error("unforeseen")
        return decode(records, **more)

    monkeypatch.setattr(ingest_module, "decode", _decode_or_fail)
    with journal(tmp_path) as writer:
        for marker in ("a", "poison", "b"):
            append(writer, trace_request([ord(marker[0])], marker=marker))
    records = JournalReader(tmp_path / "journal", Position(0, 0)).read(1 << 20)
    with open_database(tmp_path / "spandeck.duckdb", "300MB") as database:
        Ingest(database, tmp_path / "quarantine").store(records)
        assert database.sql("select count(*) from spans").fetchall() == [(2,)]
    assert len(os.listdir(tmp_path / "quarantine")) == 1


def test_attempts_count_only_at_one_place_and_survive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "store.attempt"
    crashed = {ENDED_WITH: str(-signal.SIGSEGV)}
    assert [Attempts(path, crashed).begin(Position(7, 16)) for _ in range(3)] == [0, 1, 2]
    attempts = Attempts(path, crashed)
    attempts.forgive()
    assert attempts.begin(Position(7, 16)) == 2
    assert attempts.begin(Position(7, 99)) == 0
    assert attempts.begin(Position(7, 16)) == 0
    path.write_text("damaged")
    assert Attempts(path, crashed).begin(Position(7, 16)) == 0


@pytest.mark.parametrize("ended_with", ["-9", "-15", "0", "2", "75", "", "what"])
def test_a_process_that_was_killed_did_not_die_of_a_record(tmp_path: Path, ended_with: str) -> None:
    environ = {ENDED_WITH: ended_with}
    assert [Attempts(tmp_path / "a", environ).begin(Position(7, 16)) for _ in range(5)] == [0] * 5
