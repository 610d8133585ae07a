"""Cost: how much, on what, against the period before, what has no price, what was saved, what is left."""

from __future__ import annotations

import streamlit as st

from spandeck_dashboard import charts, formats, frame, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.board import board
from spandeck_dashboard.components.table import table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_ahead
from spandeck_dashboard.views import columns
from spandeck_dashboard.views.cost_more import draw_budgets, draw_savings
from spandeck_dashboard.views.figures import Figure, draw_figures

_BY = ["Model", "Agent", "Service", "Session", "Provider"]
_LOCAL, _UTC = "Local days", "UTC days"
_CHART_PX = 300
_TREE_PX = 340
_ROWS_PX = 330

_FIGURES = (
    Figure("cost_usd", "Cost", formats.money),
    Figure("cost_per_run_usd", "Cost per run", formats.money),
    Figure("dearest_run_usd", "Dearest run", formats.money),
    Figure("usd_per_million_tokens", "Per million tokens", formats.money),
    Figure("cached_ratio", "Input read from a cache", formats.ratio, better="more"),
    Figure("unpriced_call_count", "Unpriced calls", formats.count, shape="bars"),
)


@frame.page_of("cost")
@frame.needs_spans
def page(filters: Filters) -> None:
    """Figures, money over time, a map of it, the tables, what was saved and what budgets have left."""
    calls = filters.calls()
    by = calls | {"by": _by(), "before": filters.before}
    ask_ahead(
        ("cost_kpis", calls | {"before": filters.before}),
        ("cost_kpi_series", calls),
        ("cost_by_series", calls | {"by": _by(), "zone": _zone()}),
        ("cost_tree", calls),
        ("cost_by", by),
        ("unpriced", calls),
        ("savings", filters.only("since", "until", "service")),
        ("budget_states", filters.only("service", "model", "agent")),
    )
    draw_figures(_FIGURES, filters, "cost_kpis", "cost_kpi_series", key="cost-kpis", **filters.calls())
    left, right = st.columns([1.45, 1], gap="small")
    with left:
        _draw_series(filters)
    with right:
        _draw_tree(filters)
    left, right = st.columns([1.45, 1], gap="small")
    with left:
        _draw_table(filters)
    with right:
        _draw_unpriced(filters)
    draw_budgets(filters)
    draw_savings(filters)


def _by() -> str:
    return str(st.session_state.get("by") or st.query_params.get("by") or _BY[0])


def _zone() -> str:
    return "UTC" if st.session_state.get("days") == _UTC else str(formats.zone_of(st.context.timezone))


def _draw_series(filters: Filters) -> None:
    params = filters.calls() | {"by": _by(), "zone": _zone()}
    with card("cost-series", "Cost over time", controls=_draw_knobs, queries=("cost_by_series",), params=params):
        rows = ask("cost_by_series", **params)
        if rows.empty:
            st.text("No call with a known price in this period.")
            return
        board(
            charts.moments(rows),
            charts.ranked_bars(rows, "name", "cost_usd", theme.palette()),
            key="cost-series",
            label=f"Cost over time by {_by().lower()}",
            filters=filters,
            unit="usd",
            height=_CHART_PX,
            legend=True,
        )


def _draw_knobs() -> None:
    st.segmented_control(
        "By", _BY, default=_BY[0], required=True, key="by", label_visibility="collapsed", bind="query-params"
    )
    st.segmented_control(
        "Days", [_LOCAL, _UTC], default=_LOCAL, required=True, key="days", label_visibility="collapsed"
    )


@st.fragment
def _draw_tree(filters: Filters) -> None:
    params = filters.calls()
    with card("cost-tree", "Where it goes", "model, then agent", queries=("cost_tree",), params=params):
        boxes = ask("cost_tree", **params)
        if boxes.empty:
            st.text("No call with a known price in this period.")
            return
        figure = charts.treemap(boxes, theme.palette(), _TREE_PX)
        st.plotly_chart(
            figure, theme=None, key="tree", config={"displayModeBar": False}, alt="Cost by model and agent, as areas"
        )


def _draw_table(filters: Filters) -> None:
    params = filters.calls() | {"by": _by(), "before": filters.before}
    with card("cost-by", f"Cost by {_by().lower()}", filters.against, queries=("cost_by",), params=params):
        rows = ask("cost_by", **params)
        colours = theme.palette()
        table(
            [
                columns.text(
                    _by(),
                    rows["name"],
                    width="28%",
                    swatch=[charts.series_colour(int(rank), colours) for rank in rows["rank"]],
                ),
                columns.money(
                    "Cost",
                    rows["cost_usd"],
                    rows["unpriced_call_count"],
                    "132px",
                    share=columns.numbers(rows["cost_share"]),
                ),
                columns.change("Change", rows["change_ratio"]),
                columns.count("Tokens in", rows["input_tokens"], "80px"),
                columns.count("Out", rows["output_tokens"]),
                columns.count("Cached", rows["cache_read_tokens"], "72px"),
                columns.count("Calls", rows["call_count"]),
            ],
            key="cost-by",
            label="Cost, dearest first",
            height=_ROWS_PX,
            grows=False,
            empty="No model call in this period.",
        )


def _draw_unpriced(filters: Filters) -> None:
    params = filters.calls()
    with card("unpriced", "Without a price", "in no sum above", queries=("unpriced",), params=params):
        rows = ask("unpriced", **params)
        providers = columns.texts(rows["provider"], "")
        opened = table(
            [
                columns.text("Model", rows["model"], "unnamed model", note=providers),
                columns.count("Calls", rows["call_count"]),
                columns.count("Tokens in", rows["input_tokens"], "80px"),
                columns.count("Out", rows["output_tokens"]),
                columns.ago("Last", rows["last_age_s"]),
            ],
            key="unpriced",
            label="Calls without a price",
            links=columns.links(rows, "last_trace_id", "last_span_id"),
            height=_ROWS_PX,
            grows=False,
            empty="Every call of this period has a price.",
        )
        columns.go(rows, opened, "last_trace_id", "last_span_id")
