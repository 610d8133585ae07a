"""Time series on a canvas: lines, stacked bars or a heatmap, with a crosshair and a brush that asks for a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from spandeck_dashboard import formats
from spandeck_dashboard.components import part, sent
from spandeck_dashboard.filters import Filters, follow_zoom, zoom

_render = part("board", "axes.js", "drawing.js")

Unit = Literal["ms", "usd", "count", "ratio"]
_TEXTS = {"ms": formats.duration, "usd": formats.money, "count": formats.count, "ratio": formats.ratio}


@dataclass(frozen=True)
class Series:
    """One line, or one layer of stacked bars: a value for every moment of the board, None where unknown.

    `colour` is CSS, `hatched` marks bars apart without colour, `ink` colours the name at a line's end.
    """

    name: str
    values: Sequence[float | None]
    colour: str
    shape: Literal["line", "bars"] = "line"
    width: float = 1.6
    hatched: bool = False
    ink: str = ""


@dataclass(frozen=True)
class Heat:
    """Cells of a heatmap: column and row (from below), how often, and the share of the fullest cell (0 to 1).

    `edges` names the lower edge of every row, from below.
    """

    columns: Sequence[int]
    rows: Sequence[int]
    counts: Sequence[int]
    shares: Sequence[float]
    edges: Sequence[str]


def board(
    moments_ms: Sequence[int],
    series: Sequence[Series],
    *,
    key: str,
    label: str,
    filters: Filters,
    unit: Unit,
    height: int,
    legend: bool = False,
    heat: Heat | None = None,
) -> None:
    """Draw `series` over the middles of equal times (`moments_ms`, Unix milliseconds) from `since` to `until`.

    A dragged period becomes the period of the page. `label` is what a screen reader is told.
    """
    follow_zoom()
    text = _TEXTS[unit]
    data: dict[str, Any] = {
        "label": label,
        "from": _milliseconds(filters.since),
        "to": _milliseconds(filters.until),
        "moments": [int(each) for each in moments_ms],
        "unit": unit,
        "height": height,
        "legend": legend,
        "series": [_sent(each, text) for each in series],
        "heat": None if heat is None else vars(heat) | {"columns": list(heat.columns)},
    }
    _render(data=data, key=key, on_brush_change=lambda: _brushed(key))


def _sent(series: Series, text: Any) -> dict[str, Any]:
    values = [formats.number(each) for each in series.values]
    return vars(series) | {"values": values, "texts": [formats.UNKNOWN if v is None else text(v) for v in values]}


def _brushed(key: str) -> None:
    ends = sent(key, "brush")
    if ends:
        zoom(*(datetime.fromtimestamp(float(each) / 1000, UTC) for each in ends))


def _milliseconds(moment: datetime) -> int:
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(known.timestamp() * 1000)
