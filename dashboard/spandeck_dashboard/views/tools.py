"""Tools: which one fails, why, and the calls that did."""

from __future__ import annotations

from typing import Any

import streamlit as st

from spandeck_dashboard import charts, formats, frame, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.board import Series, board
from spandeck_dashboard.components.table import table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import Parameter, ask, ask_ahead
from spandeck_dashboard.views import columns
from spandeck_dashboard.views.figures import Figure, draw_figures
from spandeck_dashboard.views.overview_tables import tool_columns

_OUTCOMES, _LATENCY = "Outcomes", "Latency"
_CHART_PX = 255
_TOP_PX = 276
_ROWS_PX = 300

_FIGURES = (
    Figure("call_count", "Calls", formats.count, better="neither", shape="bars"),
    Figure("error_count", "Failed", formats.count, shape="bars"),
    Figure("error_ratio", "Share failed", formats.ratio),
    Figure("p50_ms", "Latency p50", formats.duration),
    Figure("p95_ms", "Latency p95", formats.duration),
    Figure("p99_ms", "Latency p99", formats.duration),
)


@frame.page_of("tools")
@frame.needs_spans
def page(filters: Filters) -> None:
    """Figures, all tools beside what they did over time, why they failed and the latest failures."""
    rows = ask("tools", **filters.calls())
    names = [str(each) for each in rows["tool_name"].dropna()]
    with st.container(horizontal=True, key="tool-choice", vertical_alignment="center"):
        tool = _draw_choice(names)
    params = filters.calls() | {"tool": tool}
    ask_ahead(
        ("tool_kpis", params | {"before": filters.before}),
        *((name, params) for name in ("tool_series", "tool_errors", "tool_recent")),
    )
    draw_figures(_FIGURES, filters, "tool_kpis", "tool_series", key="tool-kpis", **params)
    left, right = st.columns([1.3, 1], gap="small")
    with left:
        _draw_tools(filters, rows)
    with right:
        _draw_series(filters, params, tool)
    left, right = st.columns([1.3, 1], gap="small")
    with left:
        _draw_errors(params, tool)
    with right:
        _draw_recent(params)


def _draw_choice(names: list[str]) -> str | None:
    asked = st.session_state.get("tool") or st.query_params.get("tool")
    if asked and asked not in names:
        names = [asked, *names]
    return st.selectbox(
        "Tool",
        names,
        index=None,
        placeholder="All tools",
        key="tool",
        label_visibility="collapsed",
        bind="query-params",
        width=260,
    )


def _draw_tools(filters: Filters, rows: Any) -> None:
    with card(
        "tools", "Tools", "worst first; a row opens its latest failure", queries=("tools",), params=filters.calls()
    ):
        opened = table(
            tool_columns(rows),
            key="tools",
            label="Tools, worst first",
            links=columns.links(rows, "last_failed_trace_id", "last_failed_span_id"),
            height=_TOP_PX,
            grows=False,
            empty="No tool call in this period.",
        )
        columns.go(rows, opened, "last_failed_trace_id", "last_failed_span_id")


def _draw_series(filters: Filters, params: dict[str, Parameter], tool: str | None) -> None:
    subtitle = "of the chosen tool" if tool else "of all tools"
    with card("tool-series", "Calls", subtitle, controls=_draw_shapes, queries=("tool_series",), params=params):
        rows = ask("tool_series", **params)
        colours = theme.palette()
        latency = st.session_state.get("tool-shape") == _LATENCY
        outcomes = [
            Series("well", columns.numbers(rows["ok_count"]), colours.series[0], "bars"),
            Series("failed", columns.numbers(rows["error_count"]), colours.bad, "bars", hatched=True),
        ]
        board(
            charts.moments(rows),
            charts.percentile_lines(rows, colours) if latency else outcomes,
            key="tool-series",
            label="Tool calls over time",
            filters=filters,
            unit="ms" if latency else "count",
            height=_CHART_PX,
            legend=True,
        )


def _draw_shapes() -> None:
    st.segmented_control(
        "Draw",
        [_OUTCOMES, _LATENCY],
        default=_OUTCOMES,
        required=True,
        key="tool-shape",
        label_visibility="collapsed",
    )


def _draw_errors(params: dict[str, Parameter], tool: str | None) -> None:
    with card("tool-errors", "Why they fail", "most frequent first", queries=("tool_errors",), params=params):
        rows = ask("tool_errors", **params)
        reasons = [columns.reason(*each) for each in zip(rows["error_type"], rows["error_message"], strict=True)]
        names = columns.texts(rows["tool_name"])
        opened = table(
            [
                columns.text("Error", reasons, note=None if tool else names),
                columns.count("Count", rows["error_count"], "120px", share=columns.numbers(rows["error_share"])),
                columns.ago("Last", rows["last_age_s"]),
            ],
            key="tool-errors",
            label="Why tools fail",
            links=columns.links(rows, "last_trace_id", "last_span_id"),
            height=_ROWS_PX,
            grows=False,
            empty="No failed tool call in this period.",
        )
        columns.go(rows, opened, "last_trace_id", "last_span_id")


def _draw_recent(params: dict[str, Parameter]) -> None:
    with card("tool-recent", "Latest failures", queries=("tool_recent",), params=params):
        rows = ask("tool_recent", **params)
        opened = table(
            [
                columns.text("Tool", rows["tool_name"], note=columns.texts(rows["error_type"], "")),
                columns.text("Agent", rows["agent_name"], width="28%", tone=["muted"] * len(rows)),
                columns.duration("Took", rows["duration_ms"]),
                columns.ago("When", rows["age_s"]),
            ],
            key="tool-recent",
            label="Latest failed tool calls",
            links=columns.links(rows, "trace_id", "span_id"),
            height=_ROWS_PX,
            grows=False,
            empty="No failed tool call in this period.",
        )
        columns.go(rows, opened, "trace_id", "span_id")
