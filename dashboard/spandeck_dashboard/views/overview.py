"""Overview: is it healthy, what does it cost, what fails and who is behind it."""

from __future__ import annotations

import streamlit as st

from spandeck_dashboard import charts, frame, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_one
from spandeck_dashboard.views import first_run, overview_tables
from spandeck_dashboard.views.overview_kpis import draw_kpis

_CHART_PX = 332
_ERRORS_PX = 293


@frame.page_of("overview")
def page(filters: Filters) -> None:
    """The whole page, from the figures down to the operations."""
    extent = ask_one("extent", **filters.only("since", "until"))
    if not extent["span_count"]:
        first_run.draw()
        return
    if not extent["period_span_count"]:
        frame.draw_empty_range(filters)
        return
    if extent["period_genai_span_count"]:
        _draw_genai(filters)
    else:
        with st.container(border=True, key="card-no-genai"):
            st.text(
                "No span of a model, agent or tool in this period. The services below are measured from "
                "all OpenTelemetry spans."
            )
    _draw_services(filters)


def _draw_genai(filters: Filters) -> None:
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
    left, right = st.columns([1, 1.35], gap="small")
    with left:
        overview_tables.draw_services(filters)
    with right:
        overview_tables.draw_operations(filters)


def _latency_card(filters: Filters) -> None:
    params = filters.calls()
    with card("latency", "LLM latency", "p50 · p95 · p99", queries=("latency_series",), **params):
        frame_of_calls = ask("latency_series", **params)
        spec = charts.latency_chart(frame_of_calls, filters.since, filters.until, theme.palette())
        st.echarts_chart(
            spec, height=_CHART_PX, theme=None, key="latency", alt="p50, p95 and p99 of LLM latency over time"
        )


def _cost_card(filters: Filters) -> None:
    params = filters.calls()
    with card("cost", "Cost by model", "", queries=("cost_series", "models"), **params):
        _cost_chart(filters)
        overview_tables.draw_models(filters)


@st.fragment
def _cost_chart(filters: Filters) -> None:
    costs = ask("cost_series", **filters.calls())
    if costs.empty:
        st.text("No call with a known price in this period.")
        return
    figure = charts.cost_figure(costs, filters.since, filters.until, theme.palette(), st.context.timezone)
    st.plotly_chart(figure, theme=None, key="cost", config={"displayModeBar": False}, alt="Cost over time by model")


def _error_card(filters: Filters) -> None:
    params = filters.calls()
    with card("errors", "Errors", "failed model and tool calls", queries=("error_series", "errors"), **params):
        failures = ask("error_series", **params)
        spec = charts.error_chart(failures, filters.since, filters.until, theme.palette())
        st.echarts_chart(spec, height=_ERRORS_PX, theme=None, key="errors", alt="Failed model and tool calls over time")
        overview_tables.draw_errors(filters)
