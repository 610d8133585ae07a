"""Agents: who calls whom, who costs what."""

from __future__ import annotations

import streamlit as st

from spandeck_dashboard import frame, routes
from spandeck_dashboard.cards import card, sql_button
from spandeck_dashboard.components.topology import topology
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_ahead
from spandeck_dashboard.views import calls

_MAP, _LINES = "Topology", "Over time"
_ASKED = "spandeck_asked_node"


@frame.page_of("agents")
@frame.needs_spans
def page(filters: Filters) -> None:
    """The map of all agents and tools of the period, or lines; and the table of agents."""
    with st.container(horizontal=True, key="groups", vertical_alignment="center"):
        shown = st.segmented_control(
            "Show",
            [_MAP, _LINES],
            default=_MAP,
            required=True,
            key="show",
            label_visibility="collapsed",
            bind="query-params",
        )
        params = filters.calls()
        if shown != _LINES:
            sql_button("agent-map", ("agent_nodes", "agent_links"), params)
    table = ("call_table", params | {"by": "Agent", "before": filters.before})
    ask_ahead(table, *(() if shown == _LINES else (("agent_nodes", params), ("agent_links", params))))
    if shown == _LINES:
        calls.draw_series(filters, "Agent")
    else:
        _draw_map(filters)
    calls.draw_table(filters, "Agent", 330)


def _draw_map(filters: Filters) -> None:
    nodes = ask("agent_nodes", **filters.calls())
    if nodes.empty:
        with card("no-agents", "Topology"):
            st.text("No agent, model or tool call in this period.")
        return
    traces = {row["node_id"]: (row["trace_id"], row["span_id"]) for row in nodes.to_dict("records")}
    topology(
        nodes,
        ask("agent_links", **filters.calls()),
        key="agent-map",
        label="Agents and tools of the period, and who called whom",
        height="max(380px, 52vh)",
        on_open=lambda node: st.session_state.update({_ASKED: traces.get(node)}),
    )
    asked = st.session_state.pop(_ASKED, None)
    if asked:
        routes.open_trace(*asked)
