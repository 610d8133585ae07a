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
        frame.draw_empty_range(filters)
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
    return [*_what_columns(rows, zone), *_figure_columns(rows), *_outcome_columns(rows)]


def _what_columns(rows: pd.DataFrame, zone: str | None) -> list[Column]:
    words = ["error" if each else "ok" for each in rows["has_error"]]
    return [
        Column(
            f"Started ({formats.zone_name(zone)})",
            [formats.moment(each, zone) for each in rows["started_at"]],
            width="138px",
            sort=[-age for age in rows["age_s"]],
        ),
        Column("Status", words, "status", "72px", tone=words),
        Column(
            "Trace",
            [formats.first_line(each) for each in rows["name"]],
            note=[formats.plain(each) for each in rows["service"]],
        ),
    ]


def _figure_columns(rows: pd.DataFrame) -> list[Column]:
    duration, first_token = _numbers(rows, "duration_ms"), _numbers(rows, "time_to_first_token_ms")
    costs = [_cost(*each) for each in zip(rows["cost_usd"], rows["unpriced_call_count"], strict=True)]
    return [
        Column(
            "Duration",
            [formats.duration(each) for each in duration],
            "number",
            "120px",
            sort=duration,
            share=_numbers(rows, "duration_share"),
        ),
        Column("First token", [formats.duration(each) for each in first_token], "number", "84px", sort=first_token),
        Column("Cost", costs, "number", "92px", sort=_numbers(rows, "cost_usd")),
        _count_column(rows, "Tokens", "token_count", "72px"),
        _count_column(rows, "Spans", "span_count", "62px"),
    ]


def _outcome_columns(rows: pd.DataFrame) -> list[Column]:
    errors = _numbers(rows, "error_count")
    shown = [formats.count(each) if each else "" for each in errors]
    sessions = [formats.plain(each) for each in rows["session_id"]]
    return [
        Column("Errors", shown, "number", "62px", sort=errors, tone=["error"] * len(rows)),
        Column("Session", sessions, width="154px", tone=["muted"] * len(rows)),
    ]


def _count_column(rows: pd.DataFrame, title: str, name: str, width: str) -> Column:
    return Column(title, [formats.count(each) for each in rows[name]], "number", width, sort=_numbers(rows, name))


def _numbers(rows: pd.DataFrame, name: str) -> list[float | None]:
    return [formats.number(each) for each in rows[name]]


def _cost(usd: object, unpriced: object) -> str:
    if formats.number(unpriced) and formats.is_unknown(usd):
        return "no price"
    return formats.money(usd) + (" + ?" if formats.number(unpriced) else "")
