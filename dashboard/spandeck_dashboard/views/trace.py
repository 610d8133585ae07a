"""Trace: why one request was slow, dear or wrong; opens on the asked span, else on the first error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame, routes
from spandeck_dashboard.cards import sql_button
from spandeck_dashboard.components.facts import Fact, fact_strip
from spandeck_dashboard.components.waterfall import waterfall
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_one
from spandeck_dashboard.views.span_details import draw_span_details

_ID_SHOWN = 8
_SELECTED = "selected_span"


@frame.page_of("trace")
def page(filters: Filters) -> None:
    """Header, summary strip, waterfall and the details of the selected span."""
    trace_id = st.query_params.get("trace", "").strip().lower()
    summary = ask_one("trace_summary", trace=trace_id) if trace_id else {}
    if not summary:
        _draw_unknown(trace_id)
        return
    _draw_header(summary, filters)
    fact_strip(_facts(summary), key="summary", card=True)
    spans = ask("trace_spans", trace=trace_id)
    _draw_notes(summary, len(spans))
    selected = _first_selection(spans, st.query_params.get("span"))
    left, right = st.columns([2.4, 1], gap="small")
    with left:
        now_selected = waterfall(spans, key=f"waterfall-{trace_id}", selected=selected, on_select=_rerun_details)
    with right:
        st.session_state[_SELECTED] = (f"waterfall-{trace_id}", now_selected)
        _details(trace_id, summary)


def _rerun_details() -> None:
    st.rerun("details")


@st.fragment(key="details")
def _details(trace_id: str, summary: Mapping[str, Any]) -> None:
    key, span_id = st.session_state[_SELECTED]
    state = st.session_state.get(key)
    if state is not None and state.get("selected"):
        span_id = state["selected"]
    with st.container(border=True, key="card-span"):
        if span_id:
            draw_span_details(trace_id, str(span_id), summary["started_at"])
        else:
            st.text("This trace has no span yet.")


def _draw_unknown(trace_id: str) -> None:
    with st.container(border=True, key="card-unknown-trace"):
        if trace_id:
            st.text("No trace with this id is stored. Its spans may still be on their way.")
            st.code(trace_id, language=None)
        else:
            st.text("Open a trace from the list of traces.")
        if st.button("Traces", icon=":material/arrow_back:", key="to-traces"):
            routes.open_page("traces")


def _draw_header(summary: Mapping[str, Any], filters: Filters) -> None:
    trace_id = str(summary["trace_id"])
    near = ask_one("trace_neighbours", trace=trace_id, **filters.only("service", "agent"))
    with st.container(horizontal=True, key="topbar", vertical_alignment="center"):
        with st.container(horizontal=True, key="trace-title", vertical_alignment="center", gap="small"):
            if st.button("Traces", icon=":material/arrow_back:", key="back", type="tertiary"):
                routes.open_page("traces")
            with st.container(key="trace-name"):
                st.text(formats.first_line(summary["root_name"] or "Root span not received", 90))
            _draw_badges(summary)
            frame.sample_chip()
        with st.container(horizontal=True, key="trace-actions", vertical_alignment="center", gap="small"):
            _neighbour_button("Older", ":material/arrow_downward:", near.get("previous_trace_id"))
            _neighbour_button("Newer", ":material/arrow_upward:", near.get("next_trace_id"))
            with st.popover("Link", icon=":material/link:", key="trace-link"):
                origin = (st.context.url or "").split("/trace")[0].rstrip("/")
                st.code(f"{origin}{routes.trace_link(trace_id)}", language=None, wrap_lines=True)
            sql_button("trace", ("trace_summary", "trace_spans"), trace=trace_id)


def _draw_badges(summary: Mapping[str, Any]) -> None:
    failed = int(summary["failed_llm_call_count"]) + int(summary["failed_tool_call_count"])
    errors = max(int(summary["error_span_count"]), failed)
    if errors:
        st.badge(f"{errors} {'error' if errors == 1 else 'errors'}", icon=":material/error:", color="red")
    else:
        st.badge("ok", icon=":material/check:", color="green")


def _neighbour_button(label: str, icon: str, trace_id: object) -> None:
    if st.button(label, icon=icon, key=f"go-{label.lower()}", disabled=not isinstance(trace_id, str)):
        routes.open_trace(trace_id)


def _facts(summary: Mapping[str, Any]) -> list[Fact]:
    zone = st.context.timezone
    failed_llm, failed_tools = int(summary["failed_llm_call_count"]), int(summary["failed_tool_call_count"])
    unpriced = int(summary["unpriced_call_count"])
    return [
        Fact("Duration", formats.duration(summary["duration_ms"])),
        Fact("Cost", formats.money(summary["cost_usd"]), f"plus {unpriced} without a price" if unpriced else ""),
        Fact("Tokens", formats.count(summary["token_count"])),
        Fact("First token", formats.duration(summary["time_to_first_token_ms"])),
        Fact("Model calls", *_calls(summary["llm_call_count"], failed_llm)),
        Fact("Tool calls", *_calls(summary["tool_call_count"], failed_tools)),
        Fact("Started", formats.moment(summary["started_at"], zone), formats.zone_name(zone)),
        Fact("Service", formats.plain(summary["service"])),
        Fact("Session", formats.plain(summary["session_id"])),
        Fact("Trace id", str(summary["trace_id"])[:_ID_SHOWN] + "…"),
    ]


def _calls(number: Any, failed: int) -> tuple[str, str, bool]:
    return formats.count(number), f"{failed} failed" if failed else "", bool(failed)


def _draw_notes(summary: Mapping[str, Any], shown: int) -> None:
    notes = []
    orphans, stored = int(summary["orphan_count"]), int(summary["span_count"])
    if orphans:
        spans = "1 span names a parent" if orphans == 1 else f"{orphans} spans name a parent"
        notes.append(f"{spans} that was not received: a part may be missing. Late spans join when they come.")
    if stored > shown:
        notes.append(f"Only the first {shown:,} of {stored:,} spans are drawn; figures above count all.")
    if notes:
        with st.container(key="trace-note"):
            st.text("\n".join(notes))


def _first_selection(spans: pd.DataFrame, asked: str | None) -> str | None:
    if spans.empty:
        return None
    ids = set(spans["span_id"])
    if asked in ids:
        return asked
    failed = spans[(spans["status"] == "error")]
    leaves = failed[failed["error_count"] == 1]
    for rows in (leaves, failed, spans):
        if not rows.empty:
            return str(rows["span_id"].iloc[0])
    return None
