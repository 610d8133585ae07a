"""The entry script: theme, navigation, the shared header, then the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from spandeck_dashboard import frame, routes, theme
from spandeck_dashboard.views import alerts, door, overview, sql, trace, traces

_WITHOUT_FILTERS = frozenset({"sql", "health"})


def main() -> None:
    """Run once for every visit and every answer of the visitor."""
    st.set_page_config("Spandeck", page_icon=str(Path(__file__).with_name("mark.svg")), layout="wide")
    theme.apply_page_css()
    if not door.is_open():
        door.draw()
        return
    pages = {
        "overview": st.Page(overview.page, title="Overview", icon=":material/space_dashboard:", default=True),
        "traces": st.Page(traces.page, title="Traces", icon=":material/account_tree:", url_path="traces"),
        "alerts": st.Page(alerts.page, title="Alerts", icon=":material/notifications:", url_path="alerts"),
        "sql": st.Page(sql.page, title="SQL", icon=":material/terminal:", url_path="sql"),
        "trace": st.Page(trace.page, title="Trace", url_path="trace", visibility="hidden"),
    }
    routes.remember(pages)
    chosen = st.navigation(list(pages.values()))
    frame.draw(
        chosen.title, has_own_header=chosen.url_path == "trace", has_filters=chosen.url_path not in _WITHOUT_FILTERS
    )
    chosen.run()
    frame.finish()


main()
