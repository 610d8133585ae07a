"""Models and Agents: model calls by what made or answered them, as lines and as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from spandeck_dashboard import charts, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.board import Unit, board
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask
from spandeck_dashboard.views import columns

_METRICS: dict[str, Unit] = {
    "p95": "ms",
    "p50": "ms",
    "First token p95": "ms",
    "Cost": "usd",
    "Calls": "count",
    "Failed": "ratio",
}
_BARS = frozenset({"Cost", "Calls"})
_CHART_PX = 280


def draw_series(filters: Filters, by: str) -> None:
    """The chosen metric over time, one line or layer each for the five dearest."""
    metric = str(st.session_state.get("metric") or st.query_params.get("metric") or next(iter(_METRICS)))
    params = filters.calls() | {"by": by, "metric": metric}
    with card("call-series", f"{by}s over time", controls=_draw_metrics, queries=("call_series",), params=params):
        rows = ask("call_series", **params)
        if rows.empty:
            st.text("No model call in this period.")
            return
        draw = charts.ranked_bars if metric in _BARS else charts.ranked_lines
        board(
            charts.moments(rows),
            draw(rows, "name", "value", theme.palette()),
            key="call-series",
            label=f"{metric} of model calls over time by {by.lower()}",
            filters=filters,
            unit=_METRICS[metric],
            height=_CHART_PX,
            legend=True,
        )


def _draw_metrics() -> None:
    names = list(_METRICS)
    st.segmented_control(
        "Metric",
        names,
        default=names[0],
        required=True,
        key="metric",
        label_visibility="collapsed",
        bind="query-params",
    )


def draw_table(filters: Filters, by: str, height: int | str) -> None:
    """The whole table, with changes against the period before."""
    params = filters.calls() | {"by": by, "before": filters.before}
    with card(
        "call-table", f"{by}s", f"dearest first, changes {filters.against}", queries=("call_table",), params=params
    ):
        rows = ask("call_table", **params)
        table(
            _columns(rows, by),
            key="call-table",
            label=f"{by}s, dearest first",
            height=height,
            empty="No model call in this period.",
        )


def _columns(rows: pd.DataFrame, by: str) -> list[Column]:
    colours = theme.palette()
    return [
        columns.text(by, rows["name"], swatch=[charts.series_colour(int(each), colours) for each in rows["rank"]]),
        columns.count("Calls", rows["call_count"]),
        columns.ratio("Failed", rows["error_ratio"]),
        columns.duration("p50", rows["p50_ms"]),
        columns.duration("p95", rows["p95_ms"], "124px", share=columns.numbers(rows["p95_share"])),
        columns.change("Change", rows["p95_change_ratio"]),
        columns.duration("p99", rows["p99_ms"]),
        columns.duration("First token p95", rows["first_token_p95_ms"], "118px"),
        columns.count("Tokens", rows["token_count"], "72px"),
        columns.money(
            "Cost", rows["cost_usd"], rows["unpriced_call_count"], "132px", share=columns.numbers(rows["cost_share"])
        ),
        columns.change("Change", rows["cost_change_ratio"]),
    ]
