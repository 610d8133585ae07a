"""The floor: the same rows, already decoded and settled, put into a plain DuckDB file by one connection."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from spandeck_collector.store.database import open_database

_BATCH_ROWS = 3_072


@dataclass(frozen=True)
class Baseline:
    """Rows inserted in a second, the checkpoint that makes them durable in the file included; bytes a row there."""

    rows_per_s: float
    bytes_per_row: float


def measure_baseline(database: Path, folder: Path, rows: int) -> Baseline:
    """Insert up to `rows` stored spans of a closed `database` again, in batches of a transaction each."""
    with duckdb.connect(str(database), read_only=True) as source:
        spans = source.execute("from store.spans limit ?", [rows]).to_arrow_table()
    path = folder / "baseline.duckdb"
    target = open_database(path, "1GB")
    empty_bytes = path.stat().st_size
    began = time.perf_counter()
    for start in range(0, spans.num_rows, _BATCH_ROWS):
        target.execute("begin")
        target.from_arrow(spans.slice(start, _BATCH_ROWS)).insert_into("store.spans")
        target.execute("commit")
    target.execute("checkpoint")
    seconds = time.perf_counter() - began
    target.close()
    return Baseline(spans.num_rows / seconds, (path.stat().st_size - empty_bytes) / spans.num_rows)
