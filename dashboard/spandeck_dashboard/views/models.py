"""Models: how slow, how dear and how often wrong each one is."""

from __future__ import annotations

import streamlit as st

from spandeck_dashboard import frame
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask_ahead
from spandeck_dashboard.views import calls

_GROUPS = ["Model", "Provider", "Service"]


@frame.page_of("models")
@frame.needs_spans
def page(filters: Filters) -> None:
    """Group, lines, table."""
    with st.container(horizontal=True, key="groups", vertical_alignment="center"):
        by = st.segmented_control(
            "By",
            _GROUPS,
            default=_GROUPS[0],
            required=True,
            key="group",
            label_visibility="collapsed",
            bind="query-params",
        )
    ask_ahead(("call_table", filters.calls() | {"by": by or _GROUPS[0], "before": filters.before}))
    calls.draw_series(filters, by or _GROUPS[0])
    calls.draw_table(filters, by or _GROUPS[0], "max(280px, calc(100vh - 540px))")
