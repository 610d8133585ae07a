"""Overview: is it healthy, what does it cost, what fails and who is behind it."""

from __future__ import annotations

import streamlit as st

from spandeck_dashboard import charts, frame, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.board import board
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_ahead, ask_one
from spandeck_dashboard.views import overview_tables
from spandeck_dashboard.views.overview_kpis import draw_kpis
from spandeck_dashboard.views.production import draw_production

_CHART_PX = 332
_COST_PX = 152
_ERRORS_PX = 268
_PERCENTILES, _DISTRIBUTION = "Percentiles", "Distribution"


@frame.page_of("overview")
@frame.needs_spans
def page(filters: Filters) -> None:
    """The whole page, from the figures down to the operations."""
    extent = ask_one("extent", **filters.only("since", "until"))
    if extent["period_genai_span_count"]:
        _draw_genai(filters)
    else:
        with st.container(border=True, key="card-no-genai"):
            st.text(
                "No span of a model, agent or tool in this period. The services below are measured from "
                "all OpenTelemetry spans."
            )
    _draw_services(filters)


_OF_CALLS = ("kpi_series", "latency_series", "tools", "agents", "cost_series", "models", "error_series", "errors")


def _draw_genai(filters: Filters) -> None:
    calls = filters.calls()
    ask_ahead(("kpis", calls | {"before": filters.before}), *((name, calls) for name in _OF_CALLS))
    draw_kpis(filters)
    overview_tables.draw_alert_strip(filters)
    left, right = st.columns([1.75, 1], gap="small")
    with left:
        _latency_card(filters)
    with right:
        _cost_card(filters)
    left, right = st.columns([1.45, 1], gap="small")
    with left:
        overview_tables.draw_tools(filters)
        overview_tables.draw_agents(filters)
    with right:
        _error_card(filters)


def _draw_services(filters: Filters) -> None:
    draw_production(filters)
    left, right = st.columns([1, 1.35], gap="small")
    with left:
        overview_tables.draw_services(filters)
    with right:
        overview_tables.draw_operations(filters)


@st.fragment
def _latency_card(filters: Filters) -> None:
    params = filters.calls()
    queries = ("latency_series", "latency_heatmap")
    with card("latency", "LLM latency", "drag to zoom", queries=queries, controls=_latency_views, params=params):
        if st.session_state.get("latency-view") == _DISTRIBUTION:
            calls = ask("latency_heatmap", **params)
            board(
                charts.moments(calls),
                [],
                heat=charts.heat_of(calls),
                key="latency-heat",
                label="How long model calls took, over time",
                filters=filters,
                unit="ms",
                height=_CHART_PX,
            )
            return
        calls = ask("latency_series", **params)
        board(
            charts.moments(calls),
            charts.percentile_lines(calls, theme.palette()),
            key="latency",
            label="p50, p95 and p99 of the duration of model calls over time",
            filters=filters,
            unit="ms",
            height=_CHART_PX,
        )


def _latency_views() -> None:
    st.segmented_control(
        "Latency as",
        [_PERCENTILES, _DISTRIBUTION],
        default=_PERCENTILES,
        required=True,
        key="latency-view",
        label_visibility="collapsed",
    )


def _cost_card(filters: Filters) -> None:
    params = filters.calls()
    with card("cost", "Cost by model", queries=("cost_series", "models"), params=params):
        costs = ask("cost_series", **params)
        if costs.empty:
            st.text("No call with a known price in this period.")
        else:
            board(
                charts.moments(costs),
                charts.ranked_bars(costs, "model", "cost_usd", theme.palette()),
                key="cost",
                label="Cost over time by model",
                filters=filters,
                unit="usd",
                height=_COST_PX,
            )
        overview_tables.draw_models(filters)


def _error_card(filters: Filters) -> None:
    params = filters.calls()
    with card("errors", "Errors", "failed model and tool calls", queries=("error_series", "errors"), params=params):
        failures = ask("error_series", **params)
        board(
            charts.moments(failures),
            charts.error_bars(failures, theme.palette()),
            key="errors",
            label="Failed model and tool calls over time",
            filters=filters,
            unit="count",
            height=_ERRORS_PX,
            legend=True,
        )
        overview_tables.draw_errors(filters)
