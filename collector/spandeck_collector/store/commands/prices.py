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
from pathlib import Path
from typing import Any

from spandeck_collector.store.commands.command import Action, CommandError, Parameters, refuse_unknown
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
    text = parameters.get("text")
    if text is not None and not isinstance(text, str):
        raise CommandError(400, '"text" must be the text of a prices.toml, or null to read the file again.')
    if text is not None:
        _check(text)
    return lambda ingest: _import(ingest, text)


def apply_prices(parameters: Parameters) -> Action:
    """Read one step. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "cursor")
    given = parameters.get("cursor")
    cursor = None if given is None else _cursor(given)
    return lambda ingest: _apply(ingest, cursor)


def _import(ingest: Ingest, text: str | None) -> dict[str, Any]:
    path = ingest.prices_file
    if path is None:
        raise CommandError(409, "This store was started without a place for prices: set SPANDECK_PRICES_FILE.")
    try:
        told = read_prices(path) if text is None else text
        _check(told)
        if text is not None:
            _write(path, text)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(409, f"{path} cannot be used: {error}.") from error
    change = replace_prices(ingest.connection, told)
    return {
        "prices_source": prices_source(told),
        "new_count": change.new_count,
        "ended_count": change.ended_count,
    }


def read_prices(path: Path) -> str:
    """The text of a prices.toml; empty where there is none. Raises `OSError`, `UnicodeDecodeError`."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


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
