"""A table whose rows can open a trace: sorting, keyboard and links happen in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from spandeck_dashboard.components import part

_render = part("table")

LIST_HEIGHT = "max(420px, calc(100vh - 176px))"
"""The height of a table that is the whole page below its filters."""


@dataclass(frozen=True)
class Column:
    """One column; every list has one entry a row.

    `text` is shown, `sort` orders (else the text does), `share` (0 to 1) draws a bar, `trend` small bars,
    `tone` (ok, error, warning, info, muted) colours, `note` is a second, smaller text and `swatch` a
    series colour (CSS). `hint` is told when the pointer rests. `width` is a CSS length, or empty to share what is left.
    """

    label: str
    text: Sequence[str]
    kind: Literal["text", "number", "status", "badge", "code"] = "text"
    width: str = ""
    sort: Sequence[float | None] | None = None
    share: Sequence[float | None] | None = None
    trend: Sequence[Sequence[float]] | None = None
    tone: Sequence[str] | None = None
    note: Sequence[str] | None = None
    swatch: Sequence[str] | None = None
    hint: Sequence[str] | None = None


def table(
    columns: Sequence[Column],
    *,
    key: str,
    label: str,
    links: Sequence[str | None] | None = None,
    height: int | str | None = None,
    grows: bool = True,
    empty: str = "Nothing in this period.",
) -> int | None:
    """Draw the table; returns the index of the row that was opened in this run, else None.

    `links` holds the address that a row opens (also in a new tab), None for a row that opens nothing.
    `height` (px, or a CSS length) is where it begins to scroll; with `grows` off it is that high with few
    rows, too, so that neighbours stay level. `empty` is the sentence for no rows.
    """
    data: dict[str, Any] = {
        "label": label,
        "columns": [{k: v for k, v in asdict(column).items() if v is not None} for column in columns],
        "links": list(links) if links is not None else None,
        "height": f"{height}px" if isinstance(height, int) else height,
        "grows": grows,
        "empty": empty,
    }
    result = _render(data=data, key=key, on_open_change=_nothing)
    return int(result.open) if result.open is not None else None


def _nothing() -> None:
    """Streamlit learns from a callback's presence that the part sends `open`."""
