"""Database files as older versions wrote them."""

from pathlib import Path
from typing import Any

import duckdb

OLD_VERSION = 2
_TABLES = Path(__file__).with_name(f"version_{OLD_VERSION}.sql")
_COLUMNS = """
    select table_name, column_name, data_type from duckdb_columns()
    where schema_name = 'store' order by table_name, column_index
"""
_VALUES = {
    "VARCHAR": "'text ' || range",
    "VARCHAR[]": "['a', 'text ' || range]",
    "BIGINT": "range",
    "BIGINT[]": "[range, 2]",
    "DOUBLE": "range / 8",
    "DOUBLE[]": "[range / 8, 0.5]",
    "BOOLEAN": "range % 2 = 0",
    "UBIGINT": "range",
    "USMALLINT": "range % 1000",
    "TIMESTAMP": "timestamp '2026-11-01' + to_seconds(range)",
    "MAP(VARCHAR, VARCHAR)": "map {'key': 'text ' || range}",
}
_ONE_ROW = {
    "about": f"insert into store.about values ({OLD_VERSION}, 'old', 'old', 'old', null)",
    "journal_position": "insert into store.journal_position values (3, 77)",
}


def old_file(path: Path, row_count: int = 5) -> Path:
    """Write a file of version 2 with `row_count` rows a table, of made-up values in every column."""
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute(_TABLES.read_text(encoding="utf-8"))
        for table, columns in tables_of(connection).items():
            values = ", ".join(f"{_VALUES[kind]} as {name}" for name, kind in columns)
            rows = f"insert into store.{table} select {values} from range({row_count})"
            connection.execute(_ONE_ROW.get(table, rows))
    return path


def tables_of(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Name and type of the columns of each stored table."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in connection.execute(_COLUMNS).fetchall():
        tables.setdefault(table, []).append((name, kind))
    return tables


def rows_of(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    """The rows of a stored table, in the order of the file."""
    return connection.execute(f"select {', '.join(columns)} from store.{table}").fetchall()
