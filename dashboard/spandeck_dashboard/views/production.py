"""Requests by the service that they entered: everything that `production_metrics` counts, beside the period before."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.cards import card, guarded
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask
from spandeck_dashboard.views import columns

_ROWS_PX = 232
_SUMMARY = "Summary"


@st.fragment
@guarded("production")
def draw_production(filters: Filters) -> None:
    """The table, in the view that its heading chooses."""
    shown = str(st.session_state.get("production-view") or _SUMMARY)
    query = "production" if shown == _SUMMARY else "production_changes"
    params = filters.only("since", "until", "service")
    if shown != _SUMMARY:
        params |= {"before": filters.before}
    subtitle = "by the service that they entered"
    if shown != _SUMMARY:
        subtitle += f", changes {filters.against}"
    with card("production", "Requests", subtitle, queries=(query,), controls=_draw_views, params=params):
        rows = ask(query, **params)
        table(
            [columns.text("Service", rows["service"], "unnamed service"), *_VIEWS[shown](rows)],
            key="production",
            label="Requests by service",
            height=_ROWS_PX,
            grows=True,
        )


def _draw_views() -> None:
    st.segmented_control(
        "Show",
        list(_VIEWS),
        default=_SUMMARY,
        required=True,
        key="production-view",
        label_visibility="collapsed",
    )


def _summary(rows: pd.DataFrame) -> list[Column]:
    return [
        columns.count("Requests", rows["request_count"], "74px"),
        columns.ratio("Well", rows["success_ratio"], "64px"),
        columns.ratio("Tools well", rows["tool_success_ratio"], "78px"),
        _hallucinated(rows),
        columns.duration("Mean", rows["average_ms"], "64px"),
        *(columns.duration(name, rows[f"{name}_ms"], "64px") for name in ("p50", "p95", "p99")),
        columns.duration("Token p95", rows["time_to_first_token_p95_ms"], "76px"),
        columns.money("Cost", rows["cost_usd"], rows["unpriced_call_count"], "92px"),
        columns.money("Per request", rows["cost_per_request_usd"], width="82px"),
        columns.count("Loops", rows["loop_count"], "52px"),
        columns.count("Steps", rows["step_count"], "52px"),
        columns.count("Retries", rows["retry_count"], "60px"),
    ]


def _outcomes(rows: pd.DataFrame) -> list[Column]:
    return [
        columns.count("Requests", rows["request_count"], "74px"),
        columns.change("Change", rows["request_change_ratio"], "72px", up_is_bad=False),
        columns.count("Failed", rows["failed_request_count"], "58px"),
        columns.ratio("Well", rows["success_ratio"], "64px"),
        columns.ratio("Failed share", rows["error_ratio"], "86px"),
        columns.change("Change", rows["error_change_ratio"], "72px"),
        columns.count("Model calls", rows["llm_call_count"], "84px"),
        columns.count("Failed", rows["failed_llm_call_count"], "58px"),
        columns.count("Tool calls", rows["tool_call_count"], "74px"),
        columns.count("Failed", rows["failed_tool_call_count"], "58px"),
        columns.ratio("Tools well", rows["tool_success_ratio"], "78px"),
        _hallucinated(rows),
    ]


def _latency(rows: pd.DataFrame) -> list[Column]:
    return [
        columns.duration("Mean", rows["average_ms"]),
        columns.duration("p50", rows["p50_ms"]),
        columns.duration("p95", rows["p95_ms"]),
        columns.change("Change", rows["p95_change_ratio"]),
        columns.duration("p99", rows["p99_ms"]),
        *(
            columns.duration(f"First token {name}", rows[f"time_to_first_token_{name}_ms"], "118px")
            for name in ("p50", "p95", "p99")
        ),
        columns.change("Change p95", rows["first_token_change_ratio"], "92px"),
    ]


def _usage(rows: pd.DataFrame) -> list[Column]:
    return [
        columns.count("Tokens in", rows["input_tokens"], "82px"),
        columns.count("Out", rows["output_tokens"]),
        columns.money("Cost", rows["cost_usd"], rows["unpriced_call_count"]),
        columns.change("Change", rows["cost_change_ratio"]),
        columns.money("Per request", rows["cost_per_request_usd"]),
        columns.change("Change", rows["cost_per_request_change_ratio"]),
        columns.count("Without a price", rows["unpriced_call_count"], "112px"),
        columns.count("Steps", rows["step_count"]),
        columns.count("Loops", rows["loop_count"]),
        columns.count("Retries", rows["retry_count"]),
    ]


def _hallucinated(rows: pd.DataFrame) -> Column:
    counted = zip(rows["hallucinated_count"], rows["judged_count"], strict=True)
    judged = [f"{formats.count(wrong)} of {formats.count(n)}" if formats.number(n) else "" for wrong, n in counted]
    return columns.ratio("Hallucinated", rows["hallucination_ratio"], "128px", note=judged)


_VIEWS: dict[str, Callable[[pd.DataFrame], list[Column]]] = {
    _SUMMARY: _summary,
    "Outcomes": _outcomes,
    "Latency": _latency,
    "Usage": _usage,
}
