"""`POST /command/normalize`: one step of running stored history through the present mapping.

`{"since": "2026-11-01T00:00:00Z" or null, "cursor": null or that of the answer before}` takes the next traces that
have a span received from `since` on (UTC where no zone is told; null is all). The answer is `{"done_trace_count",
"trace_count", "changed_span_count", "cursor", "finished"}`, the counts of traces over all steps, that of spans over
this one. Between two steps nothing is remembered here: a cursor is all that the next one needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from spandeck_collector.store.commands.command import Action, CommandError, Parameters, refuse_unknown
from spandeck_collector.store.history import BEGINNING, Place
from spandeck_collector.store.ingest import Ingest
from spandeck_schema import catalog

_ALWAYS = datetime(1, 1, 1)
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?"
_CURSOR = re.compile(rf"([0-9a-f]+)/({_TIME})/({_TIME})/({_TIME})/([0-9a-f]{{32}}|)", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """Where the next step goes on: `until` is when the newest trace began to come as the first step was made.

    What came later was normalized by the mapping that the steps use.
    """

    mapping: str
    since: datetime
    until: datetime
    place: Place

    def __str__(self) -> str:
        times = (self.since, self.until, self.place.received_at)
        return "/".join((self.mapping, *(time.isoformat() for time in times), self.place.trace_id))


def normalize(parameters: Parameters) -> Action:
    """Read one step. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "since", "cursor")
    since = _since(parameters.get("since"))
    given = parameters.get("cursor")
    cursor = None if given is None else _cursor(given, since)
    return lambda ingest: _step(ingest, since, cursor)


def _step(ingest: Ingest, since: datetime, cursor: Cursor | None) -> dict[str, Any]:
    cursor = cursor or Cursor(catalog.mapping_digest(), since, ingest.history.newest() or _ALWAYS, BEGINNING)
    progress = ingest.history.step(since, cursor.until, cursor.place)
    ingest.rows_since_checkpoint += progress.changed_span_count
    finished = progress.done_trace_count >= progress.trace_count
    if finished and since == _ALWAYS:
        ingest.connection.execute(
            "update store.about set normalized_by = ?, normalized_at = ?",
            [cursor.mapping, datetime.now(UTC).replace(tzinfo=None)],
        )
    return {
        "done_trace_count": progress.done_trace_count,
        "trace_count": progress.trace_count,
        "changed_span_count": progress.changed_span_count,
        "cursor": str(Cursor(cursor.mapping, since, cursor.until, progress.place)),
        "finished": finished,
    }


def _since(value: Any) -> datetime:
    if value is None:
        return _ALWAYS
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (TypeError, ValueError, OverflowError):
        raise CommandError(400, '"since" must be null or a time such as "2026-11-01T00:00:00Z".') from None


def _cursor(value: Any, since: datetime) -> Cursor:
    found = _CURSOR.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError(value)
        mapping, *times, trace_id = found.groups()
        first, until, received_at = map(datetime.fromisoformat, times)
    except ValueError:
        raise CommandError(400, '"cursor" must be null or the cursor of the answer before.') from None
    if first != since:
        raise CommandError(400, 'The cursor belongs to another "since": begin again without a cursor.')
    if mapping != catalog.mapping_digest():
        raise CommandError(400, "The mapping has changed since this cursor was given: begin again without a cursor.")
    return Cursor(mapping, since, until, Place(received_at, trace_id))
