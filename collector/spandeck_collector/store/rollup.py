"""Merges what batches changed in `store.rollup_hour` into its hours, and into the days of `store.rollup_day`."""

from __future__ import annotations

import logging

import duckdb

from spandeck_schema import catalog

_LOG = logging.getLogger(__name__)
_MOST_CHANGES = 10_000
_WRITES = ("delete_merged_hours", "insert_merged_hours", "delete_merged_days", "insert_merged_days")
TABLES = ("merged_hours", "merged_groups")
"""Temporary tables, which the connection must have before it prepares statements."""


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary tables, empty."""
    for name in TABLES:
        connection.execute(f"create temp table {name} as select * from ({catalog.sql('rollup', name)}) limit 0")


class Rollup:
    """Counts changes and merges them when they are many, for at most twice the work that they were."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Count the changes that wait in the file."""
        self._connection = connection
        ((change_count,),) = connection.execute(catalog.sql("rollup", "count_changes")).fetchall()
        self._change_count = int(change_count)
        self._most_changes = _MOST_CHANGES

    def add(self, change_count: int) -> None:
        """Count changes of a batch; those of one that is rolled back may be counted too."""
        self._change_count += change_count

    @property
    def is_due(self) -> bool:
        """Whether so many changes wait that questions would suffer."""
        return self._change_count >= self._most_changes

    def merge(self) -> None:
        """Merge what waits, some hours a transaction; memory that queries hold now puts it off."""
        try:
            while self._change_count and (merged_count := self._merge_hours()):
                self._most_changes = max(merged_count, _MOST_CHANGES)
            self._change_count = 0
        except duckdb.OutOfMemoryException as error:
            self._most_changes = self._change_count + _MOST_CHANGES
            _LOG.warning("Memory is short (SPANDECK_MEMORY_LIMIT), roll-ups are merged later: %s", error)

    def _merge_hours(self) -> int:
        """Merge the next hours; how many rows were deleted and written for it, 0 when there was nothing to do."""
        execute = self._connection.execute
        execute("begin")
        try:
            self._fill("merged_hours")
            self._fill("merged_groups")
            row_count = sum(execute(catalog.sql("rollup", name)).fetchall()[0][0] for name in _WRITES)
            for name in TABLES:
                execute(f"delete from {name}")
            execute("commit")
        except duckdb.FatalException:
            raise
        except BaseException:
            execute("rollback")
            raise
        return int(row_count)

    def _fill(self, name: str) -> None:
        self._connection.execute(f"insert into {name} by name {catalog.sql('rollup', name)}")
