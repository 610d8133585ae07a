"""Brings an older database file to the present version: on a copy, which takes its place when it is whole."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from spandeck_collector.settings import UPGRADING_SUFFIX
from spandeck_schema import catalog

_LOG = logging.getLogger(__name__)

Connect = Callable[[Path], duckdb.DuckDBPyConnection]
"""Opens a database file with the settings of the store."""


class UpgradeError(RuntimeError):
    """The file was left as it is; the sentence says why and what to do."""


def file_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The version that a file says it has; None for a file without tables."""
    sql = "select count(*) > 0 from duckdb_tables() where schema_name = 'store' and table_name = 'about'"
    if connection.execute(sql).fetchone() != (True,):
        return None
    row = connection.execute("select schema_version from store.about").fetchone()
    return int(row[0]) if row else None


def upgrade(path: Path, version: int, connect: Connect, migrations: Sequence[catalog.Migration] | None = None) -> None:
    """Upgrade the file at `path`, of `version` and open nowhere; it stays in `backup/` beside it as it was.

    A process that is killed in here leaves the old file or the new one, each of them whole: a half-done upgrade is
    in a copy that the next one overwrites. Raises `UpgradeError` when disk space is short or a migration fails.
    """
    steps = [step for step in (catalog.migrations() if migrations is None else migrations) if step.version > version]
    copy = copy_path(path)
    _discard(copy)
    _require_space(path)
    _LOG.info("Upgrading the database from version %s to %s.", version, steps[-1].version)
    try:
        # All of it must be in the one file that is copied: what a crash left in the log is written there.
        with connect(path) as connection:
            connection.execute("checkpoint")
        shutil.copyfile(path, copy)
        _migrate(copy, steps, connect)
        backup = _keep(path, version)
    except (duckdb.Error, OSError) as error:
        _discard(copy)
        raise UpgradeError(
            f"{path} could not be upgraded from version {version} and is as it was: {error}. "
            "Install the Spandeck that wrote it, or set SPANDECK_DATA_DIR to another folder."
        ) from error
    copy.replace(path)
    _sync(path.parent)
    _LOG.info("The database has version %s; as it was before, it is kept as %s.", steps[-1].version, backup)


def copy_path(path: Path) -> Path:
    """Where the copy stands that is being upgraded."""
    return path.with_suffix(UPGRADING_SUFFIX)


def _migrate(copy: Path, steps: Sequence[catalog.Migration], connect: Connect) -> None:
    with connect(copy) as connection:
        for step in steps:
            # No transaction around a step: DuckDB refuses some changes of a table after others in the same one.
            connection.execute(step.text)
            connection.execute("update store.about set schema_version = ?", [step.version])
        connection.execute("checkpoint")
    _sync(copy)


def _keep(path: Path, version: int) -> Path:
    """Give the old file a second name in `backup/`, under which it stays."""
    folder = path.parent / "backup"
    folder.mkdir(exist_ok=True, mode=0o700)
    backup = folder / f"{path.stem}-version-{version}-{datetime.now(UTC):%Y%m%dT%H%M%S}{path.suffix}"
    _discard(backup)
    try:
        os.link(path, backup)
    except OSError:
        # Some file systems have no second names.
        shutil.copyfile(path, backup)
        _sync(backup)
    # Its owner may have copied the old file here readable to all: a backup is as private as the database.
    backup.chmod(0o600)
    _sync(folder)
    return backup


def _require_space(path: Path) -> None:
    needed, free = 2 * path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < needed:
        raise UpgradeError(
            f"{path} must be upgraded on a copy, which may need {needed / 1e9:.2f} GB, and {free / 1e9:.2f} GB are "
            "free: make room, or install the Spandeck that wrote the file."
        )


def _discard(path: Path) -> None:
    for each in (path, path.with_name(path.name + ".wal")):
        with suppress(FileNotFoundError):
            each.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
