"""Columns of tables from columns of frames: the same kind of value looks the same on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from spandeck_dashboard import formats, routes
from spandeck_dashboard.components.table import Column

Values = Sequence[Any] | pd.Series


def text(title: str, values: Values, unknown: str = formats.UNKNOWN, **more: Any) -> Column:
    """First lines; `unknown` stands for none."""
    return Column(title, texts(values, unknown), **more)


def count(title: str, values: Values, width: str = "64px", **more: Any) -> Column:
    """`1.2k`."""
    return _number(title, values, formats.count, width, **more)


def duration(title: str, values: Values, width: str = "76px", **more: Any) -> Column:
    """`3.07 s` of milliseconds."""
    return _number(title, values, formats.duration, width, **more)


def ratio(title: str, values: Values, width: str = "72px", **more: Any) -> Column:
    """`1.37 %` of 0 to 1."""
    return _number(title, values, formats.ratio, width, **more)


def money(title: str, usd: Values, unpriced: Values | None = None, width: str = "92px", **more: Any) -> Column:
    """`$0.193`; with calls that have no price `$0.193 + ?`, with only such "no price"."""
    counts = unpriced if unpriced is not None else [0] * len(usd)
    shown = [cost(*each) for each in zip(usd, counts, strict=True)]
    return Column(title, shown, "number", width, sort=numbers(usd), **more)


def ago(title: str, ages_s: Values, width: str = "92px", **more: Any) -> Column:
    """`3 min ago`."""
    return _number(title, ages_s, formats.ago, width, **more)


def change(title: str, shares: Values, width: str = "84px", *, up_is_bad: bool = True) -> Column:
    """`+1.5 %` against the period before, empty where there is none; the sign says what the colour says."""
    shown = ["" if formats.is_unknown(each) else formats.change(each) for each in shares]
    tones = [
        ("error" if each.startswith("+") else "good") if up_is_bad and each[:1] in {"+", "-"} else "muted"
        for each in shown
    ]
    return Column(title, shown, "number", width, sort=numbers(shares), tone=tones)


def trend(title: str, lists: Values, width: str = "96px") -> Column:
    """Small bars."""
    bars = [[float(each) for each in values] for values in lists]
    return Column(title, [""] * len(bars), width=width, trend=bars)


def times(title: str, values: Values, width: str = "82px", **more: Any) -> Column:
    """`2.5x`."""
    return _number(title, values, formats.times, width, **more)


def scores(values: Values) -> list[str]:
    """`0.58`, nothing where there is none."""
    return ["" if formats.is_unknown(each) else f"{each:.2f}" for each in values]


def numbers(values: Values) -> list[float | None]:
    """For `sort` and `share`."""
    return [formats.number(each) for each in values]


def texts(values: Iterable[Any], unknown: str = formats.UNKNOWN) -> list[str]:
    """First lines of cells."""
    return [unknown if formats.is_unknown(each) else formats.first_line(each) for each in values]


def cost(usd: Any, unpriced: Any) -> str:
    """A cost that says when it is not all."""
    if formats.number(unpriced) and formats.is_unknown(usd):
        return "no price"
    return formats.money(usd) + (" + ?" if formats.number(unpriced) else "")


def reason(error_type: Any, message: Any) -> str:
    """Kind and message of a failure in one line."""
    parts = [formats.plain(error_type), formats.first_line(message)]
    return ": ".join(part for part in parts if part != formats.UNKNOWN) or formats.UNKNOWN


def how_many(rows: pd.DataFrame, end: str = "latest") -> str:
    """How many rows a list shows, of how many that match (`matching_count`), and from which end."""
    if rows.empty:
        return "none"
    matching = int(rows["matching_count"].iloc[0])
    shown = f"the {end} {len(rows):,} of {matching:,}" if matching > len(rows) else f"{matching:,}"
    return f"{shown}, {end} first"


def links(rows: pd.DataFrame, trace: str, span: str | None = None) -> list[str | None]:
    """The address of the trace in each row."""
    spans = rows[span] if span else [None] * len(rows)
    return [routes.trace_link(*each) for each in zip(rows[trace], spans, strict=True)]


def go(
    rows: pd.DataFrame, opened: int | None, trace: str, span: str | None = None, *, from_fragment: bool = False
) -> None:
    """Go to the trace in the row that was opened."""
    if opened is not None and opened < len(rows):
        leave = routes.open_trace_from_fragment if from_fragment else routes.open_trace
        leave(rows[trace].iloc[opened], rows[span].iloc[opened] if span else None)


def _number(title: str, values: Values, shown: Callable[[Any], str], width: str, **more: Any) -> Column:
    return Column(title, [shown(each) for each in values], "number", width, sort=numbers(values), **more)
