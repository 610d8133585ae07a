"""`GET /budget/check`: who asks, from the query string and two headers.

What a run tells of itself stands in headers, because a page in a browser can send those to another origin only where
that allows it: no web site can spend a budget here.
"""

from __future__ import annotations

import math
from email.message import Message
from urllib.parse import parse_qsl, urlsplit

from spandeck_collector.store.budget_file import FILTERS
from spandeck_collector.store.query_gate import QueryError
from spandeck_collector.store.spending import Run

BUDGET_CHECK = "/budget/check"
RUN_HEADER = "Spandeck-Run"
SPENT_HEADER = "Spandeck-Spent-Usd"
_SESSION = "session_id"
_LONGEST = 256


def asking_run(target: str, headers: Message) -> Run:
    """The run of a request. Raises `QueryError` (400)."""
    told = dict(parse_qsl(urlsplit(target).query))
    for name, value in told.items():
        if name not in (*FILTERS, _SESSION):
            raise QueryError(
                400, f"The parameter {name[:64]!r} is unknown: known are {', '.join((*FILTERS, _SESSION))}."
            )
        if len(value) > _LONGEST:
            raise QueryError(400, f"{name} has {len(value)} characters: it may have {_LONGEST}.")
    run_id = headers.get(RUN_HEADER)
    if run_id is not None and len(run_id) > _LONGEST:
        raise QueryError(400, f"{RUN_HEADER} has {len(run_id)} characters: it may have {_LONGEST}.")
    values = tuple(told.get(name) for name in FILTERS)
    return Run(values, told.get(_SESSION), run_id, _usd(headers.get(SPENT_HEADER, "0")))


def _usd(text: str) -> float:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not (math.isfinite(usd) and usd >= 0):
        raise QueryError(400, f"{SPENT_HEADER} is {text[:64]!r}: it must be a number of US dollars, 0 or more.")
    return usd
