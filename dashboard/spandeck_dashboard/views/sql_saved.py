"""Saved queries: open one, keep the present one under a name, delete one; where the store can keep them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from spandeck_dashboard.queries import CollectorDown, QueryRefused, ask, command

_CHOSEN, _NAME, _SAID = "saved-chosen", "saved-name", "saved_said"


def can_be_kept() -> bool:
    """Whether this store has saved queries: an older one lacks their view."""
    try:
        ask("saved_queries")
    except (QueryRefused, CollectorDown):
        return False
    return True


def draw(text: str, take: Callable[[str], None]) -> None:
    """Draw the menu; `text` is the present statement, `take` is called back with the one that is opened."""
    with st.popover("Saved", icon=":material/bookmark:", key="saved"):
        kept = dict(zip(*(ask("saved_queries")[name] for name in ("name", "sql")), strict=True))
        st.selectbox(
            "Open",
            list(kept),
            index=None,
            placeholder="Nothing saved yet" if not kept else "A saved query",
            key=_CHOSEN,
            on_change=lambda: _open(kept, take),
        )
        st.text_input("Save this statement as", key=_NAME, max_chars=100)
        with st.container(horizontal=True, key="saved-knobs"):
            st.button("Save", key="save-query", on_click=_save, args=(text,), type="primary")
            st.button("Delete the one of this name", key="delete-query", on_click=_delete)
        if said := st.session_state.pop(_SAID, ""):
            st.code(said, language=None, wrap_lines=True)


def _open(kept: dict[str, str], take: Callable[[str], None]) -> None:
    chosen = st.session_state[_CHOSEN]
    if chosen in kept:
        take(kept[chosen])
        st.session_state[_NAME], st.session_state[_CHOSEN] = chosen, None


def _save(text: str) -> None:
    _run("save_query", "Saved.", name=st.session_state[_NAME].strip(), sql=text)


def _delete() -> None:
    _run("delete_query", "Deleted.", name=st.session_state[_NAME].strip())


def _run(order: str, done: str, /, **parameters: str) -> None:
    """Callback: run a command and keep the sentence about it."""
    try:
        command(order, **parameters)
    except (QueryRefused, CollectorDown) as failure:
        st.session_state[_SAID] = str(failure)
    else:
        st.session_state[_SAID] = done
