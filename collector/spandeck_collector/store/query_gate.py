"""Decides from a statement's syntax tree whether a user may run it: one SELECT, public views, harmless functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from spandeck_schema import catalog

_TABLE_FUNCTIONS = frozenset({"generate_series", "generate_subscripts", "json_each", "json_tree", "range", "unnest"})
_REFUSED_FUNCTIONS = frozenset(
    {
        "current_setting",
        "getenv",
        "getvariable",
        "nextval",
        "currval",
        "setseed",
        "txid_current",
        "write_log",
        "sleep_ms",
        "pg_sleep",
        "json_serialize_plan",
        "get_block_size",
        "pg_get_constraintdef",
        "pg_get_viewdef",
    }
)
# No comment may stand before or between these words: DuckDB's reading of comments (nested, ended by a bare carriage
# return) is not a regular expression's, and what is checked must be what runs.
_EXPLAIN = re.compile(
    r"[ \t\r\n]*explain[ \t\r\n]+(?:analyze[ \t\r\n]+)?(?:\((?:analyze|format[ ]+[a-z]+)\)[ \t\r\n]*)?",
    re.IGNORECASE | re.ASCII,
)
# Names of files and addresses have one of these. Outside its scope the name of a CTE is read as that of a file, which
# the folders of exports and backups would give.
_OF_FILES = re.compile(r"[./\\:*?]")
_HIDDEN_RELATIONS = """
    select table_name from duckdb_tables() where schema_name in ('main', 'pg_catalog')
    union all
    select view_name from duckdb_views() where schema_name in ('main', 'pg_catalog')
"""
_SELECTS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class QueryError(Exception):
    """A query that is not answered: `status` is the HTTP status, the text one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise `QueryError` (400 bad SQL, 403 refused, with the rule) unless `sql` may be run."""
    if "\x00" in sql:
        raise QueryError(400, "The query has a NUL character, at which DuckDB would stop reading: take it out.")
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(400, str(error)) from error
    if len(statements) != 1:
        raise QueryError(400, f"Send one statement, not {len(statements)}.")
    kind = statements[0].type
    if kind not in _SELECTS:
        raise QueryError(403, f"Only SELECT and EXPLAIN may be run here, not {kind.name}.")
    tree = _tree(connection, _explained(sql) if kind == duckdb.StatementType.EXPLAIN else sql)
    nodes = list(_nodes(tree))
    ctes = {name.lower() for node in nodes for name in _cte_names(node)}
    if ctes:
        _check_ctes(connection, ctes)
    _check_nodes(nodes, ctes)


def _explained(sql: str) -> str:
    """The statement after EXPLAIN and its options."""
    head = _EXPLAIN.match(sql)
    if head is None:
        raise QueryError(403, "EXPLAIN must be the first word, with no comment before it or its options.")
    return sql[head.end() :]


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    row = connection.execute("select json_serialize_sql(?::varchar)", [sql]).fetchone()
    try:
        tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    except RecursionError as error:
        raise QueryError(400, "The query is nested too deeply: split it with WITH.") from error
    if tree.get("error"):
        raise QueryError(403, f"Only SELECT may be run here: {tree.get('error_message', 'not a SELECT')}.")
    if len(tree["statements"]) != 1:
        raise QueryError(400, f"Send one statement, not {len(tree['statements'])}.")
    return tree


def _check_ctes(connection: duckdb.DuckDBPyConnection, ctes: set[str]) -> None:
    for name in sorted(ctes):
        if _OF_FILES.search(name):
            raise QueryError(403, f"A CTE may not be called {name[:64]!r}, like a file or an address: rename it.")
    # Outside its scope the name of a CTE means the relation of that name, which must then be a public view too.
    hidden = {row[0] for row in connection.execute(_HIDDEN_RELATIONS).fetchall()} - _public_names()
    for name in sorted(ctes & hidden):
        raise QueryError(403, f"A CTE may not be called {name!r}, which is a relation of the database: rename it.")


def _check_nodes(nodes: Sequence[dict[str, Any]], ctes: set[str]) -> None:
    names = _public_names() | ctes
    for node in nodes:
        kind = node.get("type")
        if kind == "BASE_TABLE":
            _check_table(node, names)
        elif kind == "TABLE_FUNCTION":
            _check_table_function(node["function"])
        elif kind == "SHOW_REF":
            raise QueryError(
                403, "SHOW and DESCRIBE may not be run here: a view's columns are those of FROM view LIMIT 0."
            )
        elif node.get("class") == "FUNCTION":
            _check_function(node)


def _public_names() -> set[str]:
    return {view.name for view in catalog.views()}


def _check_table(node: dict[str, Any], names: set[str]) -> None:
    name, schema, database = node["table_name"], node.get("schema_name", ""), node.get("catalog_name", "")
    if database or schema not in {"", "main"}:
        full = ".".join(part for part in (database, schema, name) if part)
        raise QueryError(403, f"{full} may not be read: only the public views may, by their plain names.")
    if name.lower() not in names:
        if not name.isidentifier():
            raise QueryError(403, f"{name!r} may not be read: files and addresses are closed to queries.")
        known = ", ".join(sorted(view.name for view in catalog.views()))
        raise QueryError(400, f"There is no view {name!r}: known are {known}.")


def _check_table_function(function: dict[str, Any]) -> None:
    name = str(function.get("function_name", "")).lower()
    ranges = {macro.name for macro in (*catalog.ranges(), *catalog.public_macros())}
    schemas = {None, "", "main"} if name in ranges else {None, ""}
    if name not in _TABLE_FUNCTIONS | ranges or function.get("schema") not in schemas or function.get("catalog"):
        allowed = ", ".join(sorted(_TABLE_FUNCTIONS | ranges))
        raise QueryError(403, f"The table function {name!r} may not be used: allowed are {allowed}.")


def _check_function(node: dict[str, Any]) -> None:
    name = str(node.get("function_name", "")).lower()
    if name in _REFUSED_FUNCTIONS or node.get("schema") not in {None, "", "main"} or node.get("catalog"):
        raise QueryError(403, f"The function {name!r} may not be used in a query.")


def _cte_names(node: dict[str, Any]) -> Iterator[str]:
    entries = node.get("cte_map", {}).get("map", []) if isinstance(node.get("cte_map"), dict) else []
    yield from (entry["key"] for entry in entries)
    if node.get("type") in ("RECURSIVE_CTE_NODE", "CTE_NODE"):
        yield node["cte_name"]


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
