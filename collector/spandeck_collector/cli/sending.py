"""Sending with a progress bar, and waiting until what was sent can be asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from spandeck_collector.query_client import AskError, ask
from spandeck_collector.replay import ReplayProgress, ReplaySummary, replay
from spandeck_collector.settings import Settings

_ERR = Console(stderr=True)
_LOOK_S = 0.1
_PATIENCE_S = 30.0
_STORED = (
    "select coalesce(sum(span_count), 0)::bigint as stored from traces where list_contains(?::varchar[], trace_id)"
)


def replay_with_bar(
    paths: Sequence[Path],
    settings: Settings,
    *,
    at: Literal["now", "original"],
    speed: float | None,
    endpoint: str | None,
) -> ReplaySummary:
    """Replay recordings to `endpoint` (the receiver of the settings when None), with a bar on stderr."""
    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TextColumn("spans"), TimeElapsedColumn())
    with Progress(*columns, console=_ERR, transient=True) as bar:
        task = bar.add_task("replay", total=None)

        def show(state: ReplayProgress) -> None:
            bar.update(task, completed=state.sent_span_count, total=state.span_count)

        return replay(
            paths,
            endpoint=endpoint or settings.url(settings.http_port),
            at=at,
            speed=speed,
            token=settings.ingest_token,
            progress=show,
        )


def wait_until_stored(settings: Settings, summary: ReplaySummary) -> int | None:
    """How many spans of the sent traces are stored, once they all are or waiting is over; None without a store."""
    return wait_for_spans(settings, summary.trace_ids, summary.sent_span_count - summary.refused_span_count)


def wait_for_spans(settings: Settings, trace_ids: Sequence[str], expected: int) -> int | None:
    """Wait until the traces have `expected` spans in the store; the count, or None when no store answers."""
    deadline = time.monotonic() + _PATIENCE_S
    url = settings.url(settings.query_port)
    while True:
        try:
            answer = ask(url, _STORED, [list(dict.fromkeys(trace_ids))], settings.read_token)
        except AskError:
            return None
        stored = int(answer.column("stored")[0].as_py())
        if stored >= expected or time.monotonic() > deadline:
            return stored
        time.sleep(_LOOK_S)
