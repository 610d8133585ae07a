"""A strip of key figures: each beside the period before, with a sparkline, and the SQL behind all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.cards import sql_button
from spandeck_dashboard.components.kpis import Kpi, Tone, kpis
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import Parameter, ask

Row = Mapping[str, Any]
_UNKNOWN: Row = {"value": None, "previous_value": None, "is_comparable": False, "change_ratio": None}


@dataclass(frozen=True)
class Figure:
    """A key figure: `name` is its row in the query of values and its column in that of the trend.

    `note` makes the small text from all values; `better` says whether more is bad, good or neither.
    """

    name: str
    label: str
    text: Callable[[Any], str]
    note: Callable[[Callable[[str], Any]], str] | None = None
    better: Literal["less", "more", "neither"] = "less"
    shape: Literal["line", "bars"] = "line"


def draw_figures(
    figures: Sequence[Figure], filters: Filters, values: str, trends: str, *, key: str, **params: Parameter
) -> None:
    """Draw the strip from `sql/VALUES.sql` (rows by `figure`) and `sql/TRENDS.sql` (columns by name)."""
    known = _by_name(ask(values, before=filters.before, **params))
    series = ask(trends, **params)
    with st.container(key=f"strip-{key}"):
        kpis([_card(each, known, series, filters.against) for each in figures], key=key)
        with st.container(key=f"kpi-sql-{key}"):
            sql_button(key, (values, trends), {"before": filters.before} | params)


def _card(figure: Figure, known: Mapping[str, Row], series: pd.DataFrame, against: str) -> Kpi:
    row = known.get(figure.name, _UNKNOWN)
    change = "" if formats.is_unknown(row["change_ratio"]) else formats.change(row["change_ratio"])
    return Kpi(
        name=figure.name,
        label=figure.label,
        value=figure.text(row["value"]),
        change=change,
        against=against if change else _without_change(against, row, figure.text),
        tone=_tone(change, figure.better),
        note=figure.note(lambda name: known.get(name, _UNKNOWN)["value"]) if figure.note else "",
        trend=[formats.number(each) for each in series[figure.name]],
        shape=figure.shape,
    )


def _without_change(against: str, row: Row, text: Callable[[Any], str]) -> str:
    if formats.is_unknown(row["previous_value"]):
        return f"{against}: no data"
    return f"{against}: {text(row['previous_value']) if row['is_comparable'] else 'too few'}"


def _tone(change: str, better: str) -> Tone:
    if better == "neither" or change[:1] not in {"+", "-"}:
        return "plain"
    return "bad" if (change[0] == "+") == (better == "less") else "good"


def _by_name(frame: pd.DataFrame) -> dict[str, Row]:
    return {str(row["figure"]): {str(k): v for k, v in row.items()} for row in frame.to_dict("records")}
