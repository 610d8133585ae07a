"""Where things are: the pages of this session, links to a trace, and going there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st

_PAGES = "spandeck_pages"
_WANTED = "spandeck_wanted_trace"


def remember(pages: dict[str, Any]) -> None:
    """Keep the `st.Page` objects of this run, so that views can switch to each other."""
    st.session_state[_PAGES] = pages


def trace_link(trace_id: object, span_id: object = None) -> str | None:
    """The address of a trace, with a span opened; None when there is no trace to open."""
    if not isinstance(trace_id, str) or not trace_id:
        return None
    span = {"span": span_id} if isinstance(span_id, str) and span_id else {}
    return f"/trace?{urlencode({'trace': trace_id, **span})}"


def open_trace(trace_id: object, span_id: object = None) -> None:
    """Go to a trace and open a span of it; filters stay as they are. Does nothing without a trace."""
    if not isinstance(trace_id, str) or not trace_id:
        return
    query = {"trace": trace_id} | ({"span": span_id} if isinstance(span_id, str) and span_id else {})
    st.switch_page(st.session_state[_PAGES]["trace"], query_params=query)


def open_trace_from_fragment(trace_id: object, span_id: object = None) -> None:
    """The same out of a fragment: filters are drawn only with the whole page, and a page without them forgets them."""
    if isinstance(trace_id, str) and trace_id:
        st.session_state[_WANTED] = (trace_id, span_id)
        st.rerun()


def follow() -> None:
    """Go where a fragment wanted to; called when the filters are drawn."""
    wanted = st.session_state.pop(_WANTED, None)
    if wanted:
        open_trace(*wanted)


def open_page(name: str) -> None:
    """Go to `overview`, `traces` or `alerts`."""
    st.switch_page(st.session_state[_PAGES][name])
