"""`POST /command/import_prices` and `POST /command/apply_prices`.

`import_prices` takes `{"text": "..." or null}`: a prices.toml that is put in the place of the store's own, or null to
read that file again; it answers `{"prices_source", "new_count", "ended_count"}`. What is stored keeps its cost.

`apply_prices` takes `{"cursor": null or that of the answer before}` and is one step of giving stored calls the present
prices; it answers `{"done_trace_count", "trace_count", "repriced_trace_count", "cursor", "finished"}`, the last count
of this step alone. The first step makes the present prices hold for all that is stored; the
view `price_differences` says before what that changes.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from spandeck_collector.store.commands.command import Action, CommandError, Parameters, refuse_unknown
from spandeck_collector.store.commands.own_text import given_text, take_own
from spandeck_collector.store.history import BEGINNING, Place
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.price_file import PriceFileError, parse_prices
from spandeck_collector.store.prices import prices_source, replace_prices, use_present_prices

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?"
_CURSOR = re.compile(rf"({_TIME})/({_TIME})/([0-9a-f]{{32}}|)", re.ASCII)
_ALWAYS = datetime(1, 1, 1)


def import_prices(parameters: Parameters) -> Action:
    """Read the text. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "text")
    text = given_text(parameters, "prices.toml", _check)
    return lambda ingest: _import(ingest, text)


def apply_prices(parameters: Parameters) -> Action:
    """Read one step. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "cursor")
    given = parameters.get("cursor")
    cursor = None if given is None else _cursor(given)
    return lambda ingest: _apply(ingest, cursor)


def _import(ingest: Ingest, text: str | None) -> dict[str, Any]:
    told = take_own(ingest, "prices", text, _check)
    change = replace_prices(ingest.connection, told)
    return {
        "prices_source": prices_source(told),
        "new_count": change.new_count,
        "ended_count": change.ended_count,
    }


def _check(text: str) -> None:
    try:
        parse_prices(text)
    except PriceFileError as error:
        raise CommandError(400, str(error)) from error


def _apply(ingest: Ingest, cursor: tuple[datetime, Place] | None) -> dict[str, Any]:
    if cursor is None:
        use_present_prices(ingest.connection)
    until, behind = cursor or (ingest.history.newest() or _ALWAYS, BEGINNING)
    progress = ingest.history.reprice(until, behind)
    ingest.rows_since_checkpoint += progress.changed_span_count
    place = progress.place
    return {
        "done_trace_count": progress.done_trace_count,
        "trace_count": progress.trace_count,
        "repriced_trace_count": progress.changed_span_count,
        "cursor": f"{until.isoformat()}/{place.received_at.isoformat()}/{place.trace_id}",
        "finished": progress.done_trace_count >= progress.trace_count,
    }


def _cursor(value: Any) -> tuple[datetime, Place]:
    found = _CURSOR.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError(value)
        until, received_at = datetime.fromisoformat(found[1]), datetime.fromisoformat(found[2])
    except ValueError:
        raise CommandError(400, '"cursor" must be null or the cursor of the answer before.') from None
    return until, Place(received_at, found[3])
