"""`spandeck export` and `spandeck backup`: data as files, while spans are stored."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer

from spandeck_collector.cli.options import QueryPort, settings_with
from spandeck_collector.query_client import command
from spandeck_collector.settings import Settings

_LONGEST_S = 3_600.0
_DAYS_AGO = re.compile(r"(\d{1,5})d")
_DAY = "2026-11-01|30d"


def backup(query_port: QueryPort = None) -> None:
    """Copy the database as it is now.

    The copy is in the folder `backup` of the data folder, a database file like the one in use; prints its name.
    Spans are stored meanwhile.
    """
    settings = settings_with(query_port=query_port)
    url = settings.url(settings.query_port)
    print(command(url, "backup", {}, settings.admin_token, _LONGEST_S)["file"])


def export(
    *,
    since: Annotated[str | None, typer.Option(metavar=_DAY, help="The first day (UTC); without it, all.")] = None,
    until: Annotated[str | None, typer.Option(metavar=_DAY, help="The last day (UTC).")] = None,
    content: Annotated[bool, typer.Option("--content", help="With prompts, answers, arguments and results.")] = False,
    query_port: QueryPort = None,
) -> None:
    """Write the views as Parquet files by day.

    They are in the folder `export` of the data folder, which is printed; a day that was exported before is written
    anew. `from read_parquet('FOLDER/spans/*/*.parquet')` reads all days of a view.
    """
    wanted = {"since": _day("--since", since), "until": _day("--until", until), "content": content}
    day_count, row_count, folder = _run(settings_with(query_port=query_port), wanted)
    print(f"exported {day_count:,} days  {row_count:,} rows  {folder}")


def _run(settings: Settings, wanted: dict[str, Any]) -> tuple[int, int, str]:
    """Number of days and of rows over all steps, and the folder."""
    from rich.console import Console  # noqa: PLC0415 - costs every other command its start-up
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn())
    console = Console(stderr=True)
    url = settings.url(settings.query_port)
    day_count = row_count = 0
    answer: dict[str, Any] = {"finished": False, "day": None}
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("export", total=None)
        while not answer["finished"]:
            answer = command(url, "export", wanted | {"after": answer["day"]}, settings.admin_token, _LONGEST_S)
            day_count += answer["day"] is not None
            row_count += answer["row_count"]
            bar.update(task, completed=day_count, total=day_count + answer["day_count"])
    return day_count, row_count, answer["folder"]


def _day(option: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        if found := _DAYS_AGO.fullmatch(text):
            return (datetime.now(UTC).date() - timedelta(days=int(found[1]))).isoformat()
        return date.fromisoformat(text).isoformat()
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{option} is {text!r}: use a day such as 2026-11-01, or 30d.") from None
