"""Where a read token is set, the page asks for it before it shows anything."""

from __future__ import annotations

import hmac

import streamlit as st

from spandeck_dashboard.cards import mark_done
from spandeck_dashboard.queries import config

_OPEN = "spandeck_door_open"


def is_open() -> bool:
    """Whether this visitor may see the pages: no token is set, or it was given in this visit."""
    return config().read_token is None or bool(st.session_state.get(_OPEN))


def draw() -> None:
    """Draw the form; a right token opens the pages until the tab is reloaded."""
    st.title("Spandeck", anchor=False)
    with st.form("door", width=420):
        given = st.text_input("Read token", type="password", help="SPANDECK_READ_TOKEN of the collector")
        sent = st.form_submit_button("Open", type="primary")
    if sent and _is_right(given):
        st.session_state[_OPEN] = True
        st.rerun()
    if sent:
        st.text("This is not the read token of this collector.")
    mark_done("door")


def _is_right(given: str) -> bool:
    return hmac.compare_digest(given.encode(), (config().read_token or "").encode())
