"""The waterfall of a trace: a tree of spans on a time axis, with tokens, cost and duration."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from spandeck_dashboard import formats
from spandeck_dashboard.components import part

_render = part("waterfall", "tree.js", "lanes.js")


def waterfall(spans: pd.DataFrame, *, key: str, selected: str | None, on_select: Callable[[], None]) -> str | None:
    """Draw the rows of `sql/trace_spans.sql`; returns the selected span's id.

    `selected` is shown first (else the first error, else the root); `on_select` runs at every selection.
    """
    result = _render(
        data={"spans": _columns(spans), "selected": selected},
        key=key,
        default={"selected": selected},
        on_selected_change=on_select,
    )
    return str(result.selected) if result.selected else selected


def _columns(spans: pd.DataFrame) -> dict[str, list[object]]:
    def texts(name: str) -> list[object]:
        return [None if formats.is_unknown(value) else str(value) for value in spans[name]]

    def numbers(name: str) -> list[object]:
        return [None if (value := formats.number(each)) is None else round(value, 3) for each in spans[name]]

    return {
        "id": texts("span_id"),
        "parent": texts("parent_span_id"),
        "name": texts("name"),
        "kind": texts("kind"),
        "model": texts("model"),
        "error": [_error(status, kind) for status, kind in zip(spans["status"], spans["error_type"], strict=True)],
        "offset": numbers("offset_ms"),
        "duration": numbers("duration_ms"),
        "firstToken": numbers("time_to_first_token_ms"),
        "durationText": [
            "running" if is_open else formats.duration(value)
            for is_open, value in zip(spans["is_open"], spans["duration_ms"], strict=True)
        ],
        "tokens": ["" if formats.is_unknown(value) else formats.count(value) for value in spans["token_count"]],
        "cost": [_cost(*row) for row in zip(spans["cost_usd"], spans["unpriced_call_count"], strict=True)],
        "sum": [not counted for counted in spans["is_counted"].astype(bool)],
        "errorsBelow": [int(value) for value in spans["error_count"].fillna(0)],
        "orphan": [bool(value) for value in spans["is_orphan"]],
        "open": [bool(value) for value in spans["is_open"]],
    }


def _error(status: object, error_type: object) -> str | None:
    if status != "error":
        return None
    return "error" if formats.is_unknown(error_type) else str(error_type)


def _cost(usd: object, unpriced: object) -> str:
    known = "" if formats.is_unknown(usd) else formats.money(usd)
    if formats.number(unpriced):
        return f"{known} + ?" if known else "no price"
    return known
