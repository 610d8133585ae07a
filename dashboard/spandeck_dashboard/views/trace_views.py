"""The views of one trace: waterfall, topology, conversation, attributes, and the SQL of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.cards import card, guarded
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.components.talk import talk
from spandeck_dashboard.components.topology import topology
from spandeck_dashboard.components.waterfall import waterfall
from spandeck_dashboard.queries import ask, ask_one, runnable_sql
from spandeck_dashboard.views.conversation import turns_of
from spandeck_dashboard.views.span_details import draw_span_details

WATERFALL, TOPOLOGY, CONVERSATION, ATTRIBUTES, SQL = "Waterfall", "Topology", "Conversation", "Attributes", "SQL"
VIEWS = [WATERFALL, TOPOLOGY, CONVERSATION, ATTRIBUTES, SQL]

_SELECTED = "selected_span"
_QUERIES = {
    "What stands above": "trace_summary",
    "Waterfall": "trace_spans",
    "Topology, nodes": "trace_topology_nodes",
    "Topology, edges": "trace_topology_edges",
    "Conversation": "trace_conversation",
    "Attributes": "trace_attributes",
    "Cost": "trace_cost",
    "Cost, tokens times prices": "trace_cost_parts",
}


def draw(view: str, trace_id: str, summary: Mapping[str, Any]) -> None:
    """Draw one of `VIEWS`."""
    if view == WATERFALL:
        _draw_waterfall(trace_id, summary)
    elif view == TOPOLOGY:
        _draw_topology(trace_id)
    elif view == CONVERSATION:
        _draw_conversation(trace_id)
    elif view == ATTRIBUTES:
        _draw_attributes(trace_id)
    else:
        _draw_sql(trace_id)


def _draw_waterfall(trace_id: str, summary: Mapping[str, Any]) -> None:
    opening = ask_one("trace_opening", trace=trace_id, span=st.query_params.get("span"))
    page = _page(trace_id, opening, summary)
    spans = ask("trace_spans", trace=trace_id, page=page)
    selected = opening.get("span_id") if page == opening.get("page") or spans.empty else spans["span_id"].iloc[0]
    key = f"waterfall-{trace_id}"
    left, right = st.columns([2.4, 1], gap="small")
    with left:
        now_selected = waterfall(spans, key=key, selected=selected, on_select=_rerun_details)
    with right:
        st.session_state[_SELECTED] = (key, now_selected)
        _details(trace_id, summary)


def _page(trace_id: str, opening: Mapping[str, Any], summary: Mapping[str, Any]) -> int:
    """The page of a long trace; nothing is drawn for a trace of one page."""
    count, first = int(opening.get("page_count") or 1), int(opening.get("page") or 1)
    if count == 1:
        return 1
    with st.container(horizontal=True, key="trace-pages", vertical_alignment="center"):
        page = st.pagination(count, default=first, key=f"page-{trace_id}-{first}")
        st.text(f"{formats.whole(summary['span_count'])} spans in pages of 5,000, by start; figures count all.")
    return page


def _rerun_details() -> None:
    st.rerun("details")


@st.fragment(key="details")
@guarded("span")
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


def _draw_topology(trace_id: str) -> None:
    nodes = ask("trace_topology_nodes", trace=trace_id)
    if nodes.empty:
        with st.container(border=True, key="card-no-topology"):
            st.text("No agent, model or tool call in this trace.")
        return
    spans = dict(zip(nodes["node_id"], nodes["span_id"], strict=True))
    topology(
        nodes,
        ask("trace_topology_edges", trace=trace_id),
        key=f"topology-{trace_id}",
        label="Agents and tools of this trace, and who called whom",
        on_open=lambda node: _show_span(spans.get(node)),
    )


def _draw_conversation(trace_id: str) -> None:
    turns = turns_of(ask("trace_conversation", trace=trace_id))
    if not turns:
        with st.container(border=True, key="card-no-talk"):
            st.text(
                "No prompt or answer was sent with this trace. Instrumentations leave content out by default: "
                "for OpenTelemetry, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true lets it through."
            )
        return
    talk(turns, key=f"talk-{trace_id}", label="What was said in this trace", on_open=_show_span)


def _show_span(span_id: object) -> None:
    """Callback: the waterfall, with this span selected."""
    st.session_state["view"] = WATERFALL
    if span_id:
        st.query_params["span"] = str(span_id)


def _draw_attributes(trace_id: str) -> None:
    with card("attributes", "Attributes", "of all spans and their resource"):
        rows = ask("trace_attributes", trace=trace_id)
        table(
            [
                Column("Name", [str(each) for each in rows["name"]], "code", "32%"),
                Column("On", [str(each) for each in rows["place"]], width="84px", tone=["muted"] * len(rows)),
                _count("Spans", rows["span_count"]),
                _count("Values", rows["value_count"]),
                Column("Most frequent value", [formats.first_line(each) for each in rows["commonest_value"]], "code"),
            ],
            key="attributes",
            label="Attributes of this trace",
            height="max(360px, calc(100vh - 300px))",
            empty="No attribute was sent.",
        )


def _count(title: str, values: Any) -> Column:
    return Column(title, [formats.count(each) for each in values], "number", "70px", sort=[float(v) for v in values])


def _draw_sql(trace_id: str) -> None:
    with card("trace-sql", "SQL of this trace", "every number above and beside is a row of one of these"):
        for tab, query in zip(st.tabs(list(_QUERIES)), _QUERIES.values(), strict=True):
            tab.code(runnable_sql(query, **_parameters(query, trace_id)), language="sql")


def _parameters(query: str, trace_id: str) -> dict[str, Any]:
    return {"trace": trace_id} | ({"page": 1} if query == "trace_spans" else {})
