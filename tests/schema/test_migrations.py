"""A file of the first version, upgraded, is what a new file is, with all rows that it had."""

from pathlib import Path

import duckdb
import pytest

from spandeck_collector.store.database import open_database
from spandeck_schema import catalog

from .old_files import OLD_VERSION, old_file, rows_of, tables_of

pytestmark = pytest.mark.integration

_MEMORY = "300MB"
_SHAPES = """
    select table_name, column_index, column_name, data_type, is_nullable, column_default
    from duckdb_columns() where schema_name = 'store' and not internal order by all
"""


def test_an_upgraded_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    old_file(tmp_path / "old.duckdb")
    with (
        open_database(tmp_path / "old.duckdb", _MEMORY) as upgraded,
        open_database(tmp_path / "new.duckdb", _MEMORY) as new,
    ):
        assert upgraded.execute(_SHAPES).fetchall() == new.execute(_SHAPES).fetchall()
        assert upgraded.execute("select schema_version from about").fetchall() == [(catalog.SCHEMA_VERSION,)]


def test_an_upgraded_file_has_every_row_and_every_value(tmp_path: Path) -> None:
    path = old_file(tmp_path / "old.duckdb")
    with duckdb.connect(str(path)) as connection:
        tables = tables_of(connection)
        del tables["about"]
        before = {table: rows_of(connection, table, [name for name, _ in tables[table]]) for table in tables}
    with open_database(path, _MEMORY) as upgraded:
        now = tables_of(upgraded)
        for table, columns in tables.items():
            kept = [index for index, column in enumerate(columns) if column in now[table]]
            rows = rows_of(upgraded, table, [columns[index][0] for index in kept])
            assert rows == [tuple(row[index] for index in kept) for row in before[table]]


def test_every_view_of_an_upgraded_file_can_be_read(tmp_path: Path) -> None:
    with open_database(old_file(tmp_path / "old.duckdb"), _MEMORY) as upgraded:
        for view in catalog.views():
            upgraded.execute(f"from {view.name}").fetchall()


@pytest.mark.unit
def test_the_version_is_that_of_the_last_migration() -> None:
    versions = [migration.version for migration in catalog.migrations()]
    assert versions == sorted(set(versions))
    assert versions[0] > catalog.FIRST_VERSION == OLD_VERSION
    assert versions[-1] == catalog.SCHEMA_VERSION
