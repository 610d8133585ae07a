"""`POST /command/export`: one day of the public views as Parquet files, while spans are stored.

`{"since": "2026-11-01" or null, "until": "2026-11-30" or null, "after": null or the day of the answer before,
"content": false}` exports the first day (UTC) from `since` to `until`, both included, behind `after` that has rows. It
writes `export/VIEW/day=2026-11-01/VIEW.parquet` in the data folder for each view with rows, in place of what stands
there; the answer is `{"day", "row_count", "files", "day_count", "finished", "folder"}`: `day` is null when none is
left, `day_count` those behind it. With `content` the view span_content is exported too. What is redacted in the store
is so in the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from spandeck_collector.store.commands.command import Beside, CommandError, Parameters, refuse_unknown

_OR_NONE = "coalesce({}, timestamp '1970-01-01')"
VIEWS: Mapping[str, str] = {
    "spans": "coalesce(started_at, received_at)",
    "traces": _OR_NONE.format("started_at"),
    "llm_calls": _OR_NONE.format("started_at"),
    "tool_calls": _OR_NONE.format("started_at"),
    "span_events": _OR_NONE.format("occurred_at"),
    "evaluations": _OR_NONE.format("evaluated_at"),
    "log_records": "coalesce(occurred_at, received_at)",
    "metric_points": "coalesce(occurred_at, received_at)",
    "alerts": "fired_at",
}
"""What is exported, and the time that says the day of a row; rows without a time have the day 1970-01-01."""

CONTENT = {"span_content": "coalesce(of_span.started_at, occurred_at, received_at)"}
_CONTENT_WITH_SPANS = """
    span_content left join (select trace_id, span_id, started_at from spans) as of_span using (trace_id, span_id)
"""


@dataclass(frozen=True)
class _Days:
    """Those from `since` to `until`, behind `after`."""

    since: date
    until: date
    after: date | None


def export(parameters: Parameters) -> Beside:
    """Read the days. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "since", "until", "after", "content")
    days = _Days(
        _day(parameters, "since") or date.min, _day(parameters, "until") or date.max, _day(parameters, "after")
    )
    content = parameters.get("content", False)
    if not isinstance(content, bool):
        raise CommandError(400, "The parameter 'content' must be true or false.")
    views = {**VIEWS, **(CONTENT if content else {})}
    return Beside(lambda connection, data_dir: _export(connection, data_dir / "export", views, days))


def _day(parameters: Parameters, name: str) -> date | None:
    value = parameters.get(name)
    try:
        return None if value is None else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise CommandError(400, f"The parameter {name!r} must be a day such as 2026-11-01, or null.") from None


def _export(
    connection: duckdb.DuckDBPyConnection, folder: Path, views: Mapping[str, str], days: _Days
) -> dict[str, Any]:
    # One snapshot for all views of a day: a trace is exported with its spans.
    connection.execute("begin transaction read only")
    waiting = _waiting(connection, views, days)
    nothing: dict[str, Any] = {"day": None, "row_count": 0, "files": [], "day_count": 0, "finished": True}
    answer = nothing | {"folder": str(folder)}
    if not waiting:
        return answer
    counts = {view: _write(connection, folder, view, time, waiting[0]) for view, time in views.items()}
    return answer | {
        "day": waiting[0].isoformat(),
        "row_count": sum(counts.values()),
        "files": [str(_file(folder, view, waiting[0]).relative_to(folder)) for view, n in counts.items() if n],
        "day_count": len(waiting) - 1,
        "finished": len(waiting) == 1,
    }


def _waiting(connection: duckdb.DuckDBPyConnection, views: Mapping[str, str], days: _Days) -> list[date]:
    every = " union ".join(f"select cast({time} as date) as day from {_relation(view)}" for view, time in views.items())
    sql = f"select day from ({every}) where day between $since and $until and day > $after order by day"
    limits = {"since": days.since, "until": days.until, "after": days.after or date.min}
    return [row[0] for row in connection.execute(sql, limits).fetchall()]


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, view: str, time: str, day: date) -> int:
    """The number of rows; where there is none, there is no file."""
    target = _file(folder, view, day)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(".part")
    rows = f"select {view}.* from {_relation(view)} where cast({time} as date) = date '{day.isoformat()}'"
    path = str(part).replace("'", "''")
    try:
        ((count,),) = connection.execute(f"copy ({rows}) to '{path}' (format parquet, compression zstd)").fetchall()
        if count:
            part.replace(target)
        else:
            target.unlink(missing_ok=True)
    finally:
        part.unlink(missing_ok=True)
        with suppress(OSError):
            target.parent.rmdir()
    return int(count)


def _relation(view: str) -> str:
    # Content has the day of its span, which is exported beside it.
    return _CONTENT_WITH_SPANS if view in CONTENT else view


def _file(folder: Path, view: str, day: date) -> Path:
    return folder / view / f"day={day.isoformat()}" / f"{view}.parquet"
