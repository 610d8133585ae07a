"""The six key figures of the Overview."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.cards import sql_button
from spandeck_dashboard.components.kpis import Kpi, Tone, kpis
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask

_Row = dict[str, Any]
_UNKNOWN: _Row = {"value": None, "previous_value": None, "is_comparable": False, "change_ratio": None}


def draw_kpis(filters: Filters) -> None:
    """Draw the strip, its values against the period before, and the SQL behind it."""
    params = filters.calls()
    figures = _by_name(ask("kpis", before=filters.before, **params))
    series = ask("kpi_series", **params)
    with st.container(key="kpi-strip"):
        kpis(_cards(figures, series, filters.against), key="kpis")
        with st.container(key="kpi-sql"):
            sql_button("kpis", ("kpis", "kpi_series"), before=filters.before, **params)


def _cards(figures: dict[str, _Row], series: pd.DataFrame, against: str) -> list[Kpi]:
    def value(name: str) -> Any:
        return figures.get(name, _UNKNOWN)["value"]

    def build(
        name: str,
        label: str,
        text: Callable[[Any], str],
        note: str = "",
        *,
        up_is_bad: bool = True,
        shape: Literal["line", "bars"] = "line",
    ) -> Kpi:
        row = figures.get(name, _UNKNOWN)
        change = "" if formats.is_unknown(row["change_ratio"]) else formats.change(row["change_ratio"])
        return Kpi(
            name=name,
            label=label,
            value=text(row["value"]),
            change=change,
            against=against if change else _without_change(against, row, text),
            tone=_tone(change) if up_is_bad else "plain",
            note=note,
            trend=[formats.number(each) for each in series[name]],
            shape=shape,
        )

    failed, errors = value("failed_run_count"), value("error_count")
    return [
        build("run_count", "Runs", formats.count, _failed(failed), up_is_bad=False, shape="bars"),
        build("llm_p95_ms", "LLM latency p95", formats.duration),
        build("first_token_p95_ms", "Time to first token p95", formats.duration),
        build("cost_usd", "Cost", formats.money, _unpriced(value("unpriced_call_count"))),
        build("error_ratio", "Error ratio", formats.ratio, _failed_calls(errors)),
        build(
            "token_count", "Tokens", formats.count, _cached(value("cached_token_count")), up_is_bad=False, shape="bars"
        ),
    ]


def _without_change(against: str, row: _Row, text: Callable[[Any], str]) -> str:
    if formats.is_unknown(row["previous_value"]):
        return f"{against}: no data"
    return f"{against}: {text(row['previous_value']) if row['is_comparable'] else 'too few'}"


def _tone(change: str) -> Tone:
    if change.startswith("+"):
        return "bad"
    return "good" if change.startswith("-") else "plain"


def _failed(number: Any) -> str:
    return f"{formats.count(number)} failed" if formats.number(number) else ""


def _failed_calls(number: Any) -> str:
    known = formats.number(number)
    if not known:
        return "of model and tool calls"
    return f"{formats.count(known)} failed {'call' if known == 1 else 'calls'}"


def _unpriced(number: Any) -> str:
    known = formats.number(number)
    if not known:
        return ""
    return f"plus {formats.count(known)} {'call' if known == 1 else 'calls'} without a price"


def _cached(number: Any) -> str:
    return f"{formats.count(number)} read from a cache" if formats.number(number) else ""


def _by_name(frame: pd.DataFrame) -> dict[str, _Row]:
    return {str(row["figure"]): {str(k): v for k, v in row.items()} for row in frame.to_dict("records")}
