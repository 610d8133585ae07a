"""Traces: which requests, newest first, narrowed by what went wrong or by a search."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame, routes
from spandeck_dashboard.cards import heading
from spandeck_dashboard.components.table import LIST_HEIGHT, Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import Parameter, ask, ask_one
from spandeck_dashboard.views import first_run

_ERRORS, _SLOW, _DEAR = "Errors", "Slow > p95", "Cost > $1"


@frame.page_of("traces")
def page(filters: Filters) -> None:
    """Search, quick filters and the table; a click on a row opens the trace."""
    extent = ask_one("extent", **filters.only("since", "until"))
    if not extent["span_count"]:
        first_run.draw()
        return
    if not extent["period_span_count"]:
        frame.draw_empty_range(extent, filters)
        return
    with st.container(horizontal=True, key="trace-filters", vertical_alignment="center"):
        params = filters.calls() | _narrowing()
    with st.container(border=True, key="card-traces"):
        rows = ask("traces", **params)
        heading("traces", "Traces", _how_many(rows), queries=("traces",), **params)
        opened = table(
            _columns(rows, st.context.timezone),
            key="traces",
            label="Traces, newest first",
            links=[routes.trace_link(each) for each in rows["trace_id"]],
            height=LIST_HEIGHT,
            empty="No trace matches these filters.",
        )
    if opened is not None and opened < len(rows):
        routes.open_trace(rows["trace_id"].iloc[opened])


def _narrowing() -> dict[str, Parameter]:
    search = st.text_input(
        "Search",
        key="q",
        placeholder="Search name, agent, trace id or session",
        label_visibility="collapsed",
        icon=":material/search:",
        bind="query-params",
        width=340,
    )
    chosen = st.pills(
        "Only",
        [_ERRORS, _SLOW, _DEAR],
        selection_mode="multi",
        key="only",
        label_visibility="collapsed",
        bind="query-params",
    )
    picked = set(chosen or [])
    return {
        "search": (search or "").strip() or None,
        "only_errors": _ERRORS in picked,
        "only_slow": _SLOW in picked,
        "only_dear": _DEAR in picked,
    }


def _how_many(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "none"
    matching = int(rows["matching_count"].iloc[0])
    shown = f"the newest {len(rows):,} of {matching:,}" if matching > len(rows) else f"{matching:,}"
    return f"{shown}, newest first"


def _columns(rows: pd.DataFrame, zone: str | None) -> list[Column]:
    def numbers(name: str) -> list[float | None]:
        return [formats.number(each) for each in rows[name]]

    failed = [bool(each) for each in rows["has_error"]]
    errors = [int(each) for each in rows["error_count"]]
    costs = zip(rows["cost_usd"], rows["unpriced_call_count"], strict=True)
    return [
        Column(
            f"Started ({formats.zone_name(zone)})",
            [formats.moment(each, zone) for each in rows["started_at"]],
            width="138px",
            sort=[-age for age in rows["age_s"]],
        ),
        Column(
            "Status",
            ["error" if e else "ok" for e in failed],
            "status",
            "72px",
            tone=["error" if e else "ok" for e in failed],
        ),
        Column(
            "Trace",
            [formats.first_line(each) for each in rows["name"]],
            note=[formats.plain(each) for each in rows["service"]],
        ),
        Column(
            "Duration",
            [formats.duration(each) for each in rows["duration_ms"]],
            "number",
            "120px",
            sort=numbers("duration_ms"),
            share=numbers("duration_share"),
        ),
        Column(
            "First token",
            [formats.duration(each) for each in rows["time_to_first_token_ms"]],
            "number",
            "84px",
            sort=numbers("time_to_first_token_ms"),
        ),
        Column("Cost", [_cost(*each) for each in costs], "number", "92px", sort=numbers("cost_usd")),
        Column(
            "Tokens",
            [formats.count(each) for each in rows["token_count"]],
            "number",
            "72px",
            sort=numbers("token_count"),
        ),
        Column(
            "Spans", [formats.count(each) for each in rows["span_count"]], "number", "62px", sort=numbers("span_count")
        ),
        Column(
            "Errors",
            [formats.count(each) if each else "" for each in errors],
            "number",
            "62px",
            sort=numbers("error_count"),
            tone=["error"] * len(rows),
        ),
        Column(
            "Session", [formats.plain(each) for each in rows["session_id"]], width="154px", tone=["muted"] * len(rows)
        ),
    ]


def _cost(usd: object, unpriced: object) -> str:
    if formats.number(unpriced) and formats.is_unknown(usd):
        return "no price"
    return formats.money(usd) + (" + ?" if formats.number(unpriced) else "")
