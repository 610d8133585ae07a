"""Trace: why one request was slow, dear or wrong; opens on the asked span, else on the first error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from spandeck_dashboard import formats, frame, routes
from spandeck_dashboard.components.facts import Fact, fact_strip
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask_one
from spandeck_dashboard.views import trace_views
from spandeck_dashboard.views.trace_cost import draw_trace_cost
from spandeck_dashboard.views.trace_views import VIEWS, WATERFALL

_ID_SHOWN = 8
# A badge is markdown: only these words may pass.
_ARCHITECTURES = frozenset({"orchestrated", "autonomous", "hierarchical", "hybrid"})


@frame.page_of("trace")
def page(filters: Filters) -> None:
    """Header, summary strip, and one of its views."""
    trace_id = st.query_params.get("trace", "").strip().lower()
    summary = ask_one("trace_summary", trace=trace_id) if trace_id else {}
    if not summary:
        _draw_unknown(trace_id)
        return
    _draw_header(summary, filters)
    fact_strip(_facts(summary), key="summary", card=True)
    _draw_notes(summary)
    view = st.segmented_control(
        "View", VIEWS, default=WATERFALL, required=True, key="view", label_visibility="collapsed", bind="query-params"
    )
    trace_views.draw(view or WATERFALL, trace_id, summary)


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
            if summary["llm_call_count"]:
                with st.popover("Why this cost", icon=":material/receipt_long:", key="trace-cost"):
                    draw_trace_cost(trace_id)


def _draw_badges(summary: Mapping[str, Any]) -> None:
    failed = int(summary["failed_llm_call_count"]) + int(summary["failed_tool_call_count"])
    errors = max(int(summary["error_span_count"]), failed)
    if errors:
        st.badge(f"{errors} {'error' if errors == 1 else 'errors'}", icon=":material/error:", color="red")
    else:
        st.badge("ok", icon=":material/check:", color="green")
    if summary["architecture"] in _ARCHITECTURES:
        st.badge(str(summary["architecture"]), color="gray")


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


def _draw_notes(summary: Mapping[str, Any]) -> None:
    orphans = int(summary["orphan_count"])
    if orphans:
        spans = "1 span names a parent" if orphans == 1 else f"{orphans} spans name a parent"
        with st.container(key="trace-note"):
            st.text(f"{spans} that was not received: a part may be missing. Late spans join when they come.")
