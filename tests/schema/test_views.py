"""Every public view: given spans, expected rows. The cases are `cases/VIEW.toml`.

A case has `[[spans]]`, `[[logs]]`, `[[metrics]]` (words of `otlp.py`; `batch` 2 comes in a later batch),
`[[refusals]]`, `[[commands]]`, `[[saved_queries]]`, `[[stored]]` (a row of the table that it names; "noon" is a time),
the texts `new_prices` and `new_budgets`, and `[[expected]]`: all rows of the view, a column left out being NULL.
Ids are small numbers, times are milliseconds after noon.
"""

import json
import math
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spandeck_collector.journal import Signal
from spandeck_collector.store.budget_file import parse_budgets
from spandeck_collector.store.prices import replace_prices
from spandeck_schema import catalog

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

CASES = sorted(Path(__file__).with_name("cases").glob("*.toml"))
MEASURED = ("database_bytes", "free_bytes", "bytes_per_span")
ROOT = Path(catalog.__file__).parent


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_view_has_the_expected_rows(path: Path, sandbox: Sandbox) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    feed(sandbox, case)
    found = [{name: plain(name, cell) for name, cell in row.items()} for row in rows_of(sandbox, path.stem)]
    columns = found[0].keys()
    for row in case["expected"]:
        assert row.keys() <= columns, f"{path.name} expects columns that the view has not"
    wanted = [{name: wished(name, row.get(name)) for name in columns} for row in case["expected"]]
    assert by_text(found) == by_text(wanted)


def test_every_view_has_a_case() -> None:
    assert {path.stem for path in CASES} == {view.name for view in catalog.views()}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.sql")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sql_file_says_its_grain_and_is_named_as_its_object(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("-- grain: ")
    if path.parent.name == "views":
        assert f"create or replace view main.{path.stem} as\n" in text
    if path.parent.name == "ranges":
        assert re.search(rf"create or replace macro main\.{path.stem}\(\s*since, until\b[^()]*\) as table\b", text)
    if path.parent.name == "tables":
        assert f"create table if not exists store.{path.stem} (\n" in text
    if path.parent.name == "macros":
        assert f"create or replace macro store.{path.stem}(" in text


def feed(sandbox: Sandbox, case: dict[str, Any]) -> None:
    """Store the case's data, batch by batch."""
    signals = [("spans", Signal.TRACES, otlp.traces), ("logs", Signal.LOGS, otlp.logs)]
    signals.append(("metrics", Signal.METRICS, otlp.metrics))
    last = max((words.get("batch", 1) for name, _, _ in signals for words in case.get(name, ())), default=1)
    for batch in range(1, last + 1):
        bodies = []
        for name, signal, encode in signals:
            words = [word for word in case.get(name, ()) if word.get("batch", 1) == batch]
            bodies += [(signal, encode(words))] if words else []
        if batch == last and "refusals" in case:
            refusals = [refusal | {"last_at_ns": otlp.NOON_NS + 120 * 10**9} for refusal in case["refusals"]]
            bodies.append((Signal.REFUSALS, json.dumps({"refusals": refusals}).encode()))
        sandbox.take(*bodies)
    for words in case.get("commands", ()):
        values = [words["name"], words["parameters"], words["outcome"], otlp.NOON]
        sandbox.connection.execute("insert into store.commands values (?, ?, ?, ?::timestamptz::timestamp)", values)
    for words in case.get("stored", ()):
        noon = otlp.NOON.replace(tzinfo=None)
        row = {name: noon if cell == "noon" else cell for name, cell in words.items() if name != "table"}
        places = ", ".join("?" * len(row))
        insert = f"insert into store.{words['table']} ({', '.join(row)}) values ({places})"
        sandbox.connection.execute(insert, list(row.values()))
    for words in case.get("saved_queries", ()):
        values = [words["name"], words["sql"], otlp.NOON]
        sandbox.connection.execute("insert into store.saved_queries values (?, ?, ?::timestamptz::timestamp)", values)

    with sandbox.ingest.transaction():
        if "new_prices" in case:
            replace_prices(sandbox.connection, case["new_prices"])
        if "new_budgets" in case:
            sandbox.ingest.use_budgets(parse_budgets(case["new_budgets"]), "UTC")


def rows_of(sandbox: Sandbox, view: str) -> list[dict[str, Any]]:
    return sandbox.rows(f"select * from {view}")


def plain(name: str, cell: Any) -> Any:
    """A cell as the case writes it."""
    if isinstance(cell, datetime):
        return (cell - otlp.NOON.replace(tzinfo=None)).total_seconds() * 1000
    if name == "day" and cell == datetime.now(UTC).date():
        return "today"
    if cell == catalog.mapping_digest() or (name == "schema_version" and cell == catalog.SCHEMA_VERSION):
        return "present"
    if name in MEASURED:
        return "measured" if cell > 0 or name == "free_bytes" else cell
    return round(cell, 9) if isinstance(cell, float) and math.isfinite(cell) else cell


def wished(name: str, cell: Any) -> Any:
    """A cell of the case with ids in full."""
    if isinstance(cell, int) and name.endswith("trace_id"):
        return otlp.trace_id(cell)
    if isinstance(cell, int) and (name.endswith("span_id") or name == "duplicate_of"):
        return otlp.span_id(cell)
    return cell


def by_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [str(float(c)) if isinstance(c, int | float) else str(c) for c in row.values()])
