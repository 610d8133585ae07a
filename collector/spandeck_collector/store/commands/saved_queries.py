"""`POST /command/save_query` and `delete_query`: queries under names, for the view `saved_queries`.

`{"name": "worst tools", "sql": "from tool_outcomes"}` saves it, in place of one that has the name; the answer is
`{"name", "replaced"}`. `{"name": "worst tools"}` deletes it; the answer is `{"name"}`. A saved query is text: it is
checked when it is run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from spandeck_collector.store.commands.command import Action, CommandError, Parameters, refuse_unknown, text_parameter
from spandeck_collector.store.ingest import Ingest

_MOST_NAME_CHARACTERS = 100
_MOST_SQL_CHARACTERS = 20_000
_MOST_QUERIES = 1_000
_DELETE = "delete from store.saved_queries where name = ?"


def save_query(parameters: Parameters) -> Action:
    """Read name and text. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "name", "sql")
    name = text_parameter(parameters, "name", _MOST_NAME_CHARACTERS)
    sql = text_parameter(parameters, "sql", _MOST_SQL_CHARACTERS)
    if not name.isprintable():
        raise CommandError(400, "The parameter 'name' must be one line of printable characters.")

    def save(ingest: Ingest) -> dict[str, Any]:
        ((replaced,),) = ingest.connection.execute(_DELETE, [name]).fetchall()
        ((count,),) = ingest.connection.execute("select count(*) from store.saved_queries").fetchall()
        if count >= _MOST_QUERIES:
            raise CommandError(409, f"There are {count:,} saved queries, the most there may be: delete one first.")
        now = datetime.now(UTC).replace(tzinfo=None)
        ingest.connection.execute(
            "insert into store.saved_queries (name, sql, created_at) values (?, ?, ?)", [name, sql, now]
        )
        return {"name": name, "replaced": bool(replaced)}

    return save


def delete_query(parameters: Parameters) -> Action:
    """Read the name. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "name")
    name = text_parameter(parameters, "name", _MOST_NAME_CHARACTERS)

    def delete(ingest: Ingest) -> dict[str, Any]:
        ((count,),) = ingest.connection.execute(_DELETE, [name]).fetchall()
        if not count:
            raise CommandError(404, f"There is no saved query {name!r}.")
        return {"name": name}

    return delete
