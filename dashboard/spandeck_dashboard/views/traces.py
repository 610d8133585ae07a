"""Traces: which requests, newest first, narrowed by what went wrong or by a search."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame
from spandeck_dashboard.cards import guarded, heading
from spandeck_dashboard.components.pulse import pulse
from spandeck_dashboard.components.table import LIST_HEIGHT, Column, table
from spandeck_dashboard.filters import Filters, moved_to_now
from spandeck_dashboard.queries import Parameter, ask
from spandeck_dashboard.views import columns

_BEAT_S = 5
_ERRORS, _SLOW, _DEAR = "Errors", "Slow > p95", "Cost > $1"


@frame.page_of("traces")
@frame.needs_spans
def page(filters: Filters) -> None:
    """Search, quick filters and the table; a click on a row opens the trace."""
    with st.container(horizontal=True, key="trace-filters", vertical_alignment="center"):
        narrowing = _narrowing()
        is_tail = st.toggle("Live tail", key="live", bind="query-params", disabled=not filters.is_live)
    _draw_list(filters, narrowing, is_tail=is_tail and filters.is_live)


@st.fragment
@guarded("traces")
def _draw_list(filters: Filters, narrowing: dict[str, Parameter], *, is_tail: bool) -> None:
    params = (moved_to_now(filters) if is_tail else filters).calls() | narrowing
    with st.container(border=True, key="card-traces"):
        rows = ask("traces", **params)
        heading(
            "traces",
            "Traces",
            columns.how_many(rows, "newest"),
            queries=("traces",),
            controls=lambda: _beat(is_tail),
            params=params,
        )
        opened = table(
            _columns(rows, st.context.timezone),
            key="traces",
            label="Traces, newest first",
            links=columns.links(rows, "trace_id"),
            height=LIST_HEIGHT,
            empty="No trace matches these filters.",
        )
    columns.go(rows, opened, "trace_id", from_fragment=True)


def _beat(is_tail: bool) -> None:
    pulse(key="trace-beat", every_s=_BEAT_S, is_on=is_tail)


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
    return [
        columns.duration("Duration", rows["duration_ms"], "120px", share=columns.numbers(rows["duration_share"])),
        columns.duration("First token", rows["time_to_first_token_ms"], "84px"),
        columns.money("Cost", rows["cost_usd"], rows["unpriced_call_count"], "108px"),
        columns.count("Tokens", rows["token_count"], "72px"),
        columns.count("Spans", rows["span_count"], "62px"),
    ]


def _outcome_columns(rows: pd.DataFrame) -> list[Column]:
    errors = columns.numbers(rows["error_count"])
    shown = [formats.count(each) if each else "" for each in errors]
    return [
        Column("Errors", shown, "number", "62px", sort=errors, tone=["error"] * len(rows)),
        columns.text("Session", rows["session_id"], width="154px", tone=["muted"] * len(rows)),
    ]
