"""Opens the one DuckDB file: settings, tables, macros, views. Nothing else in Spandeck opens it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from spandeck_collector.store.upgrade import UpgradeError, file_version, upgrade
from spandeck_schema import catalog

STORAGE_VERSION = "v1.5.0"
"""File format written, pinned so that a newer DuckDB does not change it (storage.md section 1)."""


EXIT_FATAL_DATABASE = 70
"""Exit code after an error that invalidates the open database; committed rows are safe, a new process reads them."""


class DatabaseError(RuntimeError):
    """The database file cannot be used; the sentence says why and what to do."""


def open_database(path: Path, memory_limit: str, *, is_disk_full: bool = False) -> duckdb.DuckDBPyConnection:
    """Open or create the file, bring its tables and views up to date.

    A file of an older version is upgraded and kept in `backup/` beside it as it was. Raises `DatabaseError` when
    another process holds the file, a newer Spandeck wrote it, or it cannot be upgraded. With `is_disk_full` what a
    crash left in the log stays there: moving it into the file would take space, and queries can be answered without.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def connect(file: Path) -> duckdb.DuckDBPyConnection:
        return _connect(file, memory_limit)

    connection = connect(path)
    version = file_version(connection)
    if version is not None and version != catalog.SCHEMA_VERSION:
        connection.close()
        _check_version(path, version)
        try:
            upgrade(path, version, connect)
        except UpgradeError as error:
            raise DatabaseError(str(error)) from error
        connection = connect(path)
    path.chmod(0o600)
    _prepare(connection)
    # DDL is replayed from the log after a crash, which has failed in released versions: leave none there.
    if not is_disk_full:
        connection.execute("checkpoint")
    return connection


def _check_version(path: Path, version: int) -> None:
    if version > catalog.SCHEMA_VERSION:
        raise DatabaseError(
            f"{path} has schema version {version}, this Spandeck knows {catalog.SCHEMA_VERSION}: "
            "install the newer Spandeck that wrote it, or set SPANDECK_DATA_DIR to another folder."
        )
    if version < catalog.FIRST_VERSION:
        raise DatabaseError(
            f"{path} has schema version {version}, written before the first release, and this Spandeck upgrades "
            f"from {catalog.FIRST_VERSION} on: move the file away, or set SPANDECK_DATA_DIR to another folder."
        )


def _connect(path: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), config=_configuration(path, memory_limit))
    except duckdb.IOException as error:
        raise DatabaseError(f"{path} cannot be opened: {error}. {_advice(path, str(error))}") from error
    # Time stamps are plain UTC; the session's zone must not shift what a user casts.
    connection.execute("set global TimeZone = 'UTC'")
    return connection


def _advice(path: Path, error: str) -> str:
    if "lock on file" in error:
        return "Stop the other process that uses it, or set SPANDECK_DATA_DIR."
    log = path.with_name(path.name + ".wal")
    if log.name in error:
        return f"Move {log} away and start again: the journal still has what it holds."
    return f"Put {path.name} and {log.name} back from a backup, or move both away to begin a new file."


def _configuration(path: Path, memory_limit: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "storage_compatibility_version": STORAGE_VERSION,
        "memory_limit": memory_limit,
        # A batch costs 1.7 times the CPU with two threads; queries run beside it in threads of their own.
        "threads": "1",
        "temp_directory": str(path.with_suffix(".tmp")),
        "max_temp_directory_size": "2GB",
        # The store checkpoints by row count and when idle; DuckDB's 16 MB would cost twice the insert.
        "wal_autocheckpoint": "1TB",
        # Freed memory goes back to the system within seconds; otherwise the peak of a load stays resident.
        "allocator_background_threads": "true",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
        "preserve_insertion_order": "true",
    }


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists store")
    for table in catalog.sql_files("tables"):
        connection.execute(table.text)
    about = connection.execute("select definitions_digest from store.about").fetchone()
    if not about:
        row = [catalog.SCHEMA_VERSION, "", "", catalog.mapping_digest(), None]
        connection.execute("insert into store.about values (?, ?, ?, ?, ?)", row)
        connection.execute("insert into store.journal_position values (0, 0)")
    if not about or about[0] != catalog.definitions_digest():
        for statement in catalog.definitions():
            connection.execute(statement)
        connection.execute("update store.about set definitions_digest = ?", [catalog.definitions_digest()])


def lock(connection: duckdb.DuckDBPyConnection, data_dir: Path) -> None:
    """Close the way to settings, and to files but those of exports and backups, for good.

    Queries of users come after this; they may name no file at all.
    """
    folders = ", ".join("'" + f"{data_dir / name}/".replace("'", "''") + "'" for name in ("backup", "export"))
    connection.execute(f"set global allowed_directories = [{folders}]")
    connection.execute("set global enable_external_access = false")
    connection.execute("set global lock_configuration = true")
