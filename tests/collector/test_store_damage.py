"""Damaged files of the database: told in a sentence, never replaced silently; the journal has what the log held."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.waiting import DEADLINE_S, eventually

from .store_fixtures import Store, append, journal, running_store, trace_request

pytestmark = pytest.mark.integration
SPANS = 40
_COUNTS = "select count(*), count(distinct span_id) from spans"


@pytest.fixture(scope="module")
def killed_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as a kill leaves it: half of the spans are in the database file, half in its log."""
    folder = tmp_path_factory.mktemp("killed")
    half = SPANS // 2
    for first in (1, half + 1):
        with journal(folder) as writer:
            for number in range(first, first + half):
                append(writer, trace_request([number], filler="x" * 2_000))
        with running_store(folder) as store:
            eventually(lambda: store.rows(_COUNTS) == [[first + half - 1] * 2])  # noqa: B023
            if first == 1:
                assert store.stop() == 0
    return folder


@pytest.fixture
def folder(killed_store: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(killed_store, tmp_path / "data")


def _log(folder: Path) -> Path:
    return folder / "spandeck.duckdb.wal"


def _flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def _expect_all_or_a_sentence(folder: Path) -> None:
    """Started again, the store has every span once; if it refuses, then after the log is moved away as it says."""
    log, store = _log(folder), Store(folder)
    try:
        eventually(lambda: store.process.poll() is not None or store._is_ready())
        if store.process.poll() is not None:
            assert store.process.returncode == 2
            assert str(log) in store.log()
            assert "Traceback" not in store.log()
            log.rename(log.with_suffix(".aside"))
            store = Store(folder)
            store.wait_until_ready()
        eventually(lambda: store.rows(_COUNTS) == [[SPANS, SPANS]])
    finally:
        store.kill()


@pytest.mark.parametrize(
    "damage",
    [
        lambda log: os.truncate(log, log.stat().st_size // 2),
        lambda log: os.truncate(log, 10),
        lambda log: _flip(log, 3),
        lambda log: _flip(log, log.stat().st_size // 3),
    ],
    ids=["half", "ten bytes", "header", "middle"],
)
def test_a_damaged_log_costs_nothing_because_the_journal_has_it(damage: Callable[[Path], None], folder: Path) -> None:
    damage(_log(folder))
    _expect_all_or_a_sentence(folder)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(30))
def test_any_byte_of_the_log_may_flip(seed: int, folder: Path) -> None:
    log = _log(folder)
    _flip(log, random.Random(seed).randrange(log.stat().st_size))
    _expect_all_or_a_sentence(folder)


@pytest.mark.parametrize("offset", [20, 4_100, 0], ids=["header", "second header", "emptied"])
def test_a_damaged_file_is_refused_and_left_as_it_is(offset: int, folder: Path) -> None:
    database = folder / "spandeck.duckdb"
    _log(folder).unlink()
    if offset:
        _flip(database, offset)
    else:
        os.truncate(database, 0)
    before = database.read_bytes()
    store = Store(folder)
    assert store.process.wait(DEADLINE_S) == 2
    assert str(database) in store.log()
    assert "backup" in store.log()
    assert "Traceback" not in store.log()
    assert database.read_bytes() == before
