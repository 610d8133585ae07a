"""The store deletes old content by itself, as the setting says."""

import threading
from pathlib import Path

import pytest

from spandeck_collector.journal import JournalReader, JournalWriter
from spandeck_collector.settings import Settings
from spandeck_collector.store.database import open_database
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.tail import Tail
from tests.support.waiting import DEADLINE_S, eventually

from .store_fixtures import append, journal, trace_request

pytestmark = pytest.mark.integration

_AGED = """
    insert into store.content_parts
    select date_trunc('hour', cast(now() as timestamp)) - days * interval 1 day, days, 'old'
    from (values (0), (29), (31), (400)) as aged (days)
"""


@pytest.mark.parametrize(("days", "left"), [(30, 2), (0, 4), (365, 3)], ids=str)
def test_the_tail_deletes_content_that_is_older_than_the_setting(tmp_path: Path, days: int, left: int) -> None:
    with journal(tmp_path) as writer, open_database(tmp_path / "spandeck.duckdb", "300MB") as database:
        database.execute(_AGED)
        settings = Settings(data_dir=tmp_path, content_days=days)
        _run_until_stored(tmp_path, writer, Ingest(database, tmp_path / "quarantine"), settings)
        assert database.sql("select count(*) from store.content_parts").fetchall() == [(left,)]


def _run_until_stored(folder: Path, writer: JournalWriter, ingest: Ingest, settings: Settings) -> None:
    """Run the tail until a record is stored, which is after the first look at old content."""
    append(writer, trace_request([1]))
    tail = Tail(JournalReader(folder / "journal", ingest.position()), ingest, settings)
    runner = threading.Thread(target=tail.run, daemon=True)
    runner.start()
    eventually(lambda: ingest.rows_since_checkpoint > 0)
    tail.stop()
    runner.join(DEADLINE_S)
    assert not runner.is_alive()
