"""Decides from a statement's syntax tree whether a user may run it: one SELECT, public views, harmless functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
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
    }
)
_EXPLAIN = re.compile(
    r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*explain\s+(?:analyze\s+)?(?:\([^)]*\)\s*)?", re.IGNORECASE | re.DOTALL
)
_SELECTS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class QueryError(Exception):
    """A query that is not answered: `status` is the HTTP status, the text one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise `QueryError` (400 bad SQL, 403 refused, with the rule) unless `sql` may be run."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(400, str(error)) from error
    if len(statements) != 1:
        raise QueryError(400, f"Send one statement, not {len(statements)}.")
    kind = statements[0].type
    if kind not in _SELECTS:
        raise QueryError(403, f"Only SELECT and EXPLAIN may be run here, not {kind.name}.")
    inner = _EXPLAIN.sub("", sql, count=1) if kind == duckdb.StatementType.EXPLAIN else sql
    _check_tree(_tree(connection, inner))


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    row = connection.execute("select json_serialize_sql(?::varchar)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise QueryError(403, f"Only SELECT may be run here: {tree.get('error_message', 'not a SELECT')}.")
    if len(tree["statements"]) != 1:
        raise QueryError(400, f"Send one statement, not {len(tree['statements'])}.")
    return tree


def _check_tree(tree: dict[str, Any]) -> None:
    nodes = list(_nodes(tree))
    names = {view.name for view in catalog.views()} | {name.lower() for node in nodes for name in _cte_names(node)}
    for node in nodes:
        kind = node.get("type")
        if kind == "BASE_TABLE":
            _check_table(node, names)
        elif kind == "TABLE_FUNCTION":
            _check_table_function(node["function"])
        elif kind == "SHOW_REF":
            raise QueryError(403, "SHOW and DESCRIBE may not be run here: see schema/README.md for the views.")
        elif node.get("class") == "FUNCTION":
            _check_function(node)


def _check_table(node: dict[str, Any], names: set[str]) -> None:
    name, schema, database = node["table_name"], node.get("schema_name", ""), node.get("catalog_name", "")
    if database or schema not in {"", "main"}:
        full = ".".join(part for part in (database, schema, name) if part)
        raise QueryError(403, f"{full} may not be read: only the public views may, by their plain names.")
    if name.lower() not in names:
        if not name.isidentifier():
            raise QueryError(403, f"{name!r} may not be read: files and addresses are closed to queries.")
        raise QueryError(400, f"There is no view {name!r}: known are {', '.join(v.name for v in catalog.views())}.")


def _check_table_function(function: dict[str, Any]) -> None:
    name = str(function.get("function_name", "")).lower()
    if name not in _TABLE_FUNCTIONS or function.get("schema") or function.get("catalog"):
        allowed = ", ".join(sorted(_TABLE_FUNCTIONS))
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
