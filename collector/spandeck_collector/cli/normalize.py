"""`spandeck normalize`."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from spandeck_collector.cli.options import QueryPort, settings_with
from spandeck_collector.query_client import BusyError, StoreAwayError, command
from spandeck_collector.settings import Settings

_ALL = "all"
_AGO = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_PATIENCE_S = 60.0
_PAUSE_S = 1.0


def normalize(
    *,
    since: Annotated[
        str,
        typer.Option(metavar="30d|2026-11-01|all", help="Received since then: h, d or w ago, or a UTC date or time."),
    ],
    query_port: QueryPort = None,
) -> None:
    """Run stored spans through the present mapping.

    After an upgrade that understands more attributes, history becomes what it would be if it came today. Takes whole
    traces in small steps while ingestion goes on; may be stopped at any moment and run again.
    """
    begin = _time(since)
    settings = settings_with(query_port=query_port)
    answer, changed_count = _run(settings, begin)
    print(f"normalized {answer['done_trace_count']:,} traces  changed {changed_count:,} spans")


def _run(settings: Settings, since: str | None) -> tuple[dict[str, Any], int]:
    """The last answer, and how many spans changed over all steps."""
    from rich.console import Console  # noqa: PLC0415 - costs every other command its start-up
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("Normalizing"), BarColumn(), MofNCompleteColumn(), TextColumn("traces"), TimeElapsedColumn())
    console = Console(stderr=True)
    changed_count = 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("normalize", total=None)
        answer: dict[str, Any] = {"finished": False, "cursor": None}
        while not answer["finished"]:
            answer = _step(settings, since, answer["cursor"])
            changed_count += answer["changed_span_count"]
            bar.update(task, completed=answer["done_trace_count"], total=answer["trace_count"])
    return answer, changed_count


def _step(settings: Settings, since: str | None, cursor: str | None) -> dict[str, Any]:
    """One step; while the store is busy or starts again it is tried again. Raises `AskError`."""
    url = settings.url(settings.query_port)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return command(url, "normalize", {"since": since, "cursor": cursor}, settings.admin_token)
        except (BusyError, StoreAwayError) as error:
            never_answered = cursor is None and isinstance(error, StoreAwayError)
            if never_answered or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_S)


def _time(since: str) -> str | None:
    if since == _ALL:
        return None
    try:
        if found := _AGO.fullmatch(since):
            number, unit = found.groups()
            return (datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})).isoformat()
        datetime.fromisoformat(since)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"--since is {since!r}: use 30d, a date such as 2026-11-01, or all.") from None
    return since
