"""`POST /command/backup`: a copy of the database as it is at this moment, while spans are stored.

`{}` writes `backup/spandeck-TIME.duckdb` in the data folder; the answer is `{"file": path, "bytes": its size}`. To go
back to it, stop Spandeck, put it in the place of `spandeck.duckdb`, delete `spandeck.duckdb.wal`, and start Spandeck.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from spandeck_collector.store.commands.command import Beside, CommandError, Parameters, refuse_unknown
from spandeck_collector.store.database import STORAGE_VERSION

_ALIAS = "unfinished_backup"


def backup(parameters: Parameters) -> Beside:
    """Read that there are no parameters. Raises `CommandError` (400)."""
    refuse_unknown(parameters)
    return Beside(_back_up)


def _back_up(connection: duckdb.DuckDBPyConnection, data_dir: Path) -> dict[str, Any]:
    folder = data_dir / "backup"
    folder.mkdir(exist_ok=True, mode=0o700)
    _require_space(connection, folder)
    target = folder / f"spandeck-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.duckdb"
    part = target.with_suffix(".part")
    _forget_parts(folder)
    try:
        _copy(connection, part)
        part.replace(target)
    finally:
        _forget_parts(folder)
    return {"file": str(target), "bytes": target.stat().st_size}


def _copy(connection: duckdb.DuckDBPyConnection, part: Path) -> None:
    ((source,),) = connection.execute("select current_database()").fetchall()
    path = str(part).replace("'", "''")
    connection.execute(f"attach '{path}' as {_ALIAS} (storage_version '{STORAGE_VERSION}')")
    try:
        connection.execute(f'copy from database "{source}" to {_ALIAS}')
        connection.execute(f"checkpoint {_ALIAS}")
    finally:
        connection.execute(f"detach {_ALIAS}")


def _require_space(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    ((needed,),) = connection.execute(
        "select block_size * total_blocks from pragma_database_size() where database_name = current_database()"
    ).fetchall()
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CommandError(507, f"A backup may need {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB are free: make room.")


def _forget_parts(folder: Path) -> None:
    """Delete what backups left that did not come to their end; no other runs now."""
    for path in folder.glob("*.part*"):
        path.unlink(missing_ok=True)
