"""Sending with a progress bar, and waiting until what was sent can be asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from spandeck_collector.own_tls import own_tls
from spandeck_collector.query_client import ask_json
from spandeck_collector.replay import ReplayProgress, ReplaySummary, replay
from spandeck_collector.settings import Settings

_LOOK_S = 0.1
_PATIENCE_S = 30.0
_STANDSTILL_S = 3.0
_MOST_IDS = 10_000
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
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("replay", total=None)

        def show(state: ReplayProgress) -> None:
            bar.update(task, completed=state.sent_span_count, total=state.span_count)

        return replay(
            paths,
            endpoint=endpoint or settings.url(settings.http_port),
            at=at,
            speed=speed,
            token=settings.ingest_token,
            tls=None if endpoint else own_tls(settings),
            progress=show,
        )


def wait_until_stored(settings: Settings, summary: ReplaySummary) -> int:
    """How many spans of the sent traces are stored, once they all are or waiting is over. Raises `AskError`."""
    return wait_for_spans(settings, summary.trace_ids, summary.sent_span_count - summary.refused_span_count)


def wait_for_spans(settings: Settings, trace_ids: Sequence[str], expected: int) -> int:
    """Wait until the traces have `expected` spans in the store; the count then.

    A recording may hold a span twice, which is stored once: waiting also ends when the count stands still.
    Raises `AskError` when the store does not answer.
    """
    ids = list(dict.fromkeys(trace_ids))
    stored, began = 0, time.monotonic()
    moved_at = began
    while True:
        before, stored = stored, _stored_count(settings, ids)
        now = time.monotonic()
        moved_at = now if stored != before or not stored else moved_at
        if stored >= expected or now - moved_at > _STANDSTILL_S or now - began > _PATIENCE_S:
            return stored
        time.sleep(_LOOK_S)


def _stored_count(settings: Settings, trace_ids: Sequence[str]) -> int:
    url = settings.url(settings.query_port)
    parts = [trace_ids[first : first + _MOST_IDS] for first in range(0, len(trace_ids), _MOST_IDS)]
    answers = [ask_json(url, _STORED, [part], settings.read_token) for part in parts]
    return sum(int(rows[0][0]) for _, rows in answers)
