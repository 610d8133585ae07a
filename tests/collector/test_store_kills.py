"""kill -9 of the store while it checkpoints after every batch and deletes old content at every start."""

import random
import time
from pathlib import Path

import pytest

from spandeck_collector.store.database import open_database
from tests.support.waiting import eventually

from .store_fixtures import Store, append, journal, trace_request

_AGED = """
    insert into store.content_parts
    select date_trunc('hour', cast(now() as timestamp)) - interval 40 day, n, repeat('old', 20) || n
    from range({count}) as aged (n)
"""


@pytest.mark.integration
def test_three_kills_during_checkpoint_and_retention(tmp_path: Path) -> None:
    _kill(tmp_path, kills=3, aged=20_000)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(2))
def test_ten_kills_during_checkpoint_and_retention(tmp_path: Path, seed: int) -> None:
    _kill(tmp_path, kills=10, aged=400_000, seed=seed)


def _kill(folder: Path, *, kills: int, aged: int, seed: int = 0) -> None:
    dice = random.Random(seed)
    with open_database(folder / "spandeck.duckdb", "500MB") as database:
        database.execute(_AGED.format(count=aged))
    sent = 0
    with journal(folder) as writer:
        for _ in range(kills):
            store = Store(folder, checkpoint_rows=1)
            for _ in range(5):
                append(writer, trace_request(range(sent + 1, sent + 51), filler="x" * 1_000))
                sent += 50
            eventually((folder / "journal" / "stored").exists)
            time.sleep(dice.random())
            store.kill()
    store = Store(folder)
    try:
        store.wait_until_ready()
        counts = "select count(*), count(distinct span_id), (select sum(span_count)::bigint from traces) from spans"
        eventually(lambda: store.rows(counts) == [[sent, sent, sent]], store.log)
        assert store.rows("select sum(stored_count)::bigint from ingest_health") == [[sent]]
        assert store.rows("select count(*) from span_content") == [[0]]
    finally:
        store.kill()
    assert not (folder / "quarantine").exists()
    with open_database(folder / "spandeck.duckdb", "500MB") as database:
        assert database.sql("select count(*) from store.content_parts").fetchall() == [(0,)]
