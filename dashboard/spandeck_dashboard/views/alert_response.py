"""Answering an alert: acknowledge it, snooze its rule and subject, or end that."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.queries import CollectorDown, QueryRefused, command

_CHOSEN, _LENGTH, _SAID = "response-alert", "response-length", "response_said"
_LENGTHS_S = {"1 h": 3_600, "8 h": 28_800, "1 d": 86_400, "7 d": 604_800}
_CLOSED = frozenset({"resolved", "pending"})


def draw(rows: pd.DataFrame) -> None:
    """A menu over the alerts of `alert_feed` that are open."""
    kept = {str(row["alert_id"]): row for row in rows.to_dict("records") if row["state"] not in _CLOSED}
    with st.popover("Respond", icon=":material/how_to_reg:", key="response", disabled=not kept):
        chosen = st.selectbox(
            "Alert", list(kept), key=_CHOSEN, format_func=lambda each: _label(kept.get(each)), width=520
        )
        about = kept.get(str(chosen), {})
        is_snoozed = not formats.is_unknown(about.get("snoozed_until"))
        is_acknowledged = not formats.is_unknown(about.get("acknowledged_at"))
        with st.container(horizontal=True, key="response-knobs", vertical_alignment="center"):
            st.button("Acknowledge", key="acknowledge", on_click=_acknowledge, type="primary", disabled=is_acknowledged)
            st.segmented_control(
                "How long",
                list(_LENGTHS_S),
                default=next(iter(_LENGTHS_S)),
                required=True,
                key=_LENGTH,
                label_visibility="collapsed",
            )
            st.button("Snooze", key="snooze", on_click=_snooze, help="No messages about this rule and subject")
            st.button("End snooze", key="end-snooze", on_click=_end_snooze, disabled=not is_snoozed)
        if said := st.session_state.pop(_SAID, ""):
            st.code(said, language=None, wrap_lines=True)


def _label(row: Any) -> str:
    # The list shows plain text, so that nothing in a message is read as markup.
    if row is None:
        return formats.UNKNOWN
    return formats.sentence_list((formats.first_line(row["message"], 60), str(row["state"]), formats.ago(row["age_s"])))


def _acknowledge() -> None:
    _run("acknowledge_alert", "Acknowledged")


def _snooze() -> None:
    length = str(st.session_state[_LENGTH])
    _run("snooze_alert", f"Snoozed for {length}", for_s=_LENGTHS_S[length])


def _end_snooze() -> None:
    _run("snooze_alert", "Snooze ended", for_s=0)


def _run(order: str, done: str, /, **parameters: Any) -> None:
    """Callback: run a command about the chosen alert and keep the sentence about it."""
    try:
        answer = command(order, alert_id=st.session_state[_CHOSEN], **parameters)
    except (QueryRefused, CollectorDown) as failure:
        st.session_state[_SAID] = str(failure)
    else:
        st.session_state[_SAID] = f"{done}: {formats.sentence_list((answer['rule'], answer['subject']))}"
