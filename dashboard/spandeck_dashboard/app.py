"""The entry script: theme, navigation, the shared header, then the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from spandeck_dashboard import frame, routes, theme
from spandeck_dashboard.views import (
    agents,
    alerts,
    cost,
    door,
    guard,
    health,
    models,
    objectives,
    overview,
    sessions,
    sql,
    tools,
    trace,
    traces,
)

_WITHOUT_FILTERS = frozenset({"sql", "health"})
_PAGES: dict[str, tuple[Callable[[], None], str, str]] = {
    "overview": (overview.page, "Overview", ":material/space_dashboard:"),
    "traces": (traces.page, "Traces", ":material/account_tree:"),
    "sessions": (sessions.page, "Sessions", ":material/forum:"),
    "alerts": (alerts.page, "Alerts", ":material/notifications:"),
    "objectives": (objectives.page, "Objectives", ":material/target:"),
    "models": (models.page, "Models", ":material/neurology:"),
    "agents": (agents.page, "Agents", ":material/hub:"),
    "tools": (tools.page, "Tools", ":material/build:"),
    "guard": (guard.page, "Guard", ":material/shield:"),
    "cost": (cost.page, "Cost", ":material/payments:"),
    "sql": (sql.page, "SQL", ":material/terminal:"),
    "health": (health.page, "Health", ":material/monitor_heart:"),
    "trace": (trace.page, "Trace", ":material/account_tree:"),
}
_GROUPS = {
    "Watch": ("overview", "traces", "sessions", "alerts", "objectives"),
    "Analyze": ("models", "agents", "tools", "cost", "guard"),
    "Ask": ("sql", "health"),
}


def _page(name: str, draw: Callable[[], None], title: str, icon: str) -> StreamlitPage:
    """A page under its own address; the first is the default, the one of a single trace is in no menu."""
    if name == "overview":
        return st.Page(draw, title=title, icon=icon, default=True)
    return st.Page(draw, title=title, icon=icon, url_path=name, visibility="hidden" if name == "trace" else "visible")


def main() -> None:
    """Run once for every visit and every answer of the visitor."""
    st.set_page_config("Spandeck", page_icon=str(Path(__file__).with_name("mark.svg")), layout="wide")
    theme.apply_page_css()
    if not door.is_open():
        door.draw()
        return
    pages = {name: _page(name, *about) for name, about in _PAGES.items()}
    routes.remember(pages)
    groups = {group: [pages[name] for name in names] for group, names in _GROUPS.items()}
    chosen = st.navigation(groups | {"": [pages["trace"]]})
    frame.draw(
        chosen.title, has_own_header=chosen.url_path == "trace", has_filters=chosen.url_path not in _WITHOUT_FILTERS
    )
    chosen.run()
    frame.finish()


main()
