"""Sessions: what a user lived through, as a list, and one of them with its traces and its words."""

from __future__ import annotations

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame, routes
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.table import LIST_HEIGHT, Column, table
from spandeck_dashboard.components.talk import talk
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_ahead
from spandeck_dashboard.views import columns
from spandeck_dashboard.views.conversation import turns_of
from spandeck_dashboard.views.figures import Figure, draw_figures

_ADDRESS = "session"
_ASKED = "spandeck_asked_span"
_LIST_PX = "max(420px, calc(100vh - 332px))"

_FIGURES = (
    Figure("session_count", "Sessions", formats.count, better="neither", shape="bars"),
    Figure("user_count", "Users", formats.count, better="neither", shape="bars"),
    Figure("trace_count", "Traces a session", formats.decimal, better="neither"),
    Figure("cost_usd", "Cost a session", formats.money),
    Figure("busy_p95_ms", "Busy time p95", formats.duration),
    Figure("error_ratio", "With an error", formats.ratio),
)


@frame.page_of("sessions")
@frame.needs_spans
def page(filters: Filters) -> None:
    """The list, or the session that the address names."""
    session = st.query_params.get(_ADDRESS)
    if session:
        _draw_session(session)
    else:
        _draw_list(filters)


def _draw_list(filters: Filters) -> None:
    with st.container(horizontal=True, key="session-filters", vertical_alignment="center"):
        search = st.text_input(
            "Search",
            key="find",
            placeholder="Search session or user",
            label_visibility="collapsed",
            icon=":material/search:",
            bind="query-params",
            width=340,
        )
    params = filters.calls() | {"search": (search or "").strip() or None}
    ask_ahead(("session_list", params), ("session_kpi_series", filters.calls()))
    draw_figures(_FIGURES, filters, "session_kpis", "session_kpi_series", key="session-kpis", **filters.calls())
    rows = ask("session_list", **params)
    with card("sessions", "Sessions", columns.how_many(rows), queries=("session_list",), params=params):
        opened = table(
            _columns(rows),
            key="sessions",
            label="Sessions, latest first",
            links=[f"/sessions?{urlencode({_ADDRESS: each})}" for each in rows["session_id"]],
            height=_LIST_PX,
            empty="No trace of this period names a session.",
        )
    if opened is not None and opened < len(rows):
        st.query_params[_ADDRESS] = str(rows["session_id"].iloc[opened])
        st.rerun()


def _columns(rows: pd.DataFrame) -> list[Column]:
    errors = [formats.count(each) if each else "" for each in columns.numbers(rows["error_count"])]
    return [
        columns.text("Session", rows["session_id"], note=columns.texts(rows["user_id"], "")),
        columns.text("Service", rows["service"], width="16%", tone=["muted"] * len(rows)),
        columns.count("Traces", rows["trace_count"]),
        columns.count("Model calls", rows["llm_call_count"], "88px"),
        columns.count("Tool calls", rows["tool_call_count"], "80px"),
        columns.duration("Busy", rows["busy_ms"]),
        columns.count("Tokens", rows["token_count"], "72px"),
        columns.money(
            "Cost",
            rows["cost_usd"],
            rows["unpriced_call_count"],
            "128px",
            share=columns.numbers(rows["cost_of_dearest_ratio"]),
        ),
        Column(
            "Errors", errors, "number", "64px", sort=columns.numbers(rows["error_count"]), tone=["error"] * len(rows)
        ),
        columns.ago("Last", rows["last_age_s"]),
    ]


def _draw_session(session: str) -> None:
    with st.container(horizontal=True, key="session-head", vertical_alignment="center", gap="small"):
        if st.button("Sessions", icon=":material/arrow_back:", key="to-sessions", type="tertiary"):
            st.query_params.pop(_ADDRESS, None)
            st.rerun()
        st.text(formats.first_line(session, 120))
    left, right = st.columns([1, 1.25], gap="small")
    with left:
        _draw_traces(session)
    with right:
        _draw_words(session)


def _draw_traces(session: str) -> None:
    with card("session-traces", "Traces", "in their order", queries=("session_traces",), params={"session": session}):
        rows = ask("session_traces", session=session)
        zone = st.context.timezone
        words = ["error" if each else "ok" for each in rows["has_error"]]
        opened = table(
            [
                Column(
                    f"Started ({formats.zone_name(zone)})",
                    [formats.moment(e, zone) for e in rows["started_at"]],
                    width="132px",
                ),
                Column("Status", words, "status", "68px", tone=words),
                columns.text("Trace", rows["name"]),
                columns.duration("Took", rows["duration_ms"]),
                columns.money("Cost", rows["cost_usd"], rows["unpriced_call_count"], "84px"),
            ],
            key="session-traces",
            label="Traces of this session",
            links=columns.links(rows, "trace_id"),
            height=LIST_HEIGHT,
            empty="No trace of this session is stored.",
        )
        columns.go(rows, opened, "trace_id")


def _draw_words(session: str) -> None:
    rows = ask("session_conversation", session=session)
    turns = turns_of(rows)
    traces = dict(zip(rows["span_id"], rows["trace_id"], strict=True))
    with card("session-words", "Conversation", "", queries=("session_conversation",), params={"session": session}):
        if not turns:
            st.text("No prompt or answer was sent with this session.")
            return
        talk(
            turns,
            key="session-talk",
            label="What was said in this session",
            on_open=lambda span: st.session_state.update({_ASKED: (traces.get(span), span)}),
        )
    asked = st.session_state.pop(_ASKED, None)
    if asked:
        routes.open_trace(*asked)
