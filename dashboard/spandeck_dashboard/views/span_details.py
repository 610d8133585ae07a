"""The details of one span: what it is, what went wrong, what it carried. Content is only ever text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.components.facts import Fact, fact_list, fact_strip
from spandeck_dashboard.queries import ask, ask_one
from spandeck_dashboard.views.messages import spoken
from spandeck_dashboard.views.trace_cost import draw_span_cost

_CONTENT_LIMIT = 40_000
_SIDES = {
    "instructions": "System instructions",
    "tools": "Tool definitions",
    "input": "Input",
    "documents": "Documents",
    "output": "Output",
}
_NAMES = {"gen_ai.tool.call.arguments": "Arguments", "gen_ai.tool.call.result": "Result"}
_TABS = ["Content", "Cost", "Attributes", "Events", "Resource"]


def draw_span_details(trace_id: str, span_id: str, trace_started_at: datetime) -> None:
    """Draw the panel; asks for the span and, on its tab, for its events."""
    span = ask_one("span_details", trace=trace_id, span=span_id)
    if not span:
        st.text("This span is not stored: it still runs, or it is not kept any more.")
        return
    with st.container(key="span-name"):
        st.text(formats.first_line(span["name"]))
    with st.container(key="span-kind"):
        st.text(
            formats.sentence_list(
                map(formats.plain, (span["kind"], span["agent_name"], span["model"], span["service"]))
            )
        )
    _draw_error(span)
    fact_strip(_facts(span, trace_started_at), key="span-facts")
    attributes = _map(span["attributes_json"])
    tab = st.segmented_control(
        "Show", _TABS, default=_TABS[0], required=True, key="span-tab", label_visibility="collapsed"
    )
    with st.container(key="span-body"):
        _draw_tab(tab or _TABS[0], trace_id, span, attributes)


def _draw_tab(tab: str, trace_id: str, span: Mapping[str, Any], attributes: dict[str, str]) -> None:
    if tab == "Content":
        _draw_content(trace_id, str(span["span_id"]))
    elif tab == "Cost":
        draw_span_cost(trace_id, str(span["span_id"]))
    elif tab == "Attributes":
        fact_list(_pairs(_known(span) | attributes), key="span-attributes")
    elif tab == "Events":
        _draw_events(trace_id, str(span["span_id"]))
    else:
        fact_list(_pairs(_map(span["resource_json"])), key="span-resource")


def _draw_error(span: Mapping[str, Any]) -> None:
    if span["status"] != "error":
        return
    with st.container(key="span-error"):
        kind, message = formats.plain(span["error_type"]), formats.plain(span["error_message"])
        parts = [part for part in (kind, message[:_CONTENT_LIMIT]) if part != formats.UNKNOWN]
        st.text(": ".join(parts) or "Failed, without a reason given.")


def _facts(span: Mapping[str, Any], trace_started_at: datetime) -> list[Fact]:
    after_ms = (span["started_at"] - trace_started_at).total_seconds() * 1000
    cost = formats.money(span["cost_usd"])
    return [
        Fact("Duration", formats.duration(span["duration_ms"])),
        Fact("Start", "+" + formats.duration(after_ms)),
        Fact("First token", formats.duration(span["time_to_first_token_ms"])),
        Fact("Tokens in", formats.count(span["input_tokens"])),
        Fact("Tokens out", formats.count(span["output_tokens"])),
        Fact("Cost", cost),
    ]


def _draw_content(trace_id: str, span_id: str) -> None:
    values = ask("span_content", trace=trace_id, span=span_id)
    if values.empty:
        st.text("This span carries no prompt, output, argument or result. The other tabs show what it has.")
    for value in values.to_dict("records"):
        label = _NAMES.get(value["name"], _SIDES.get(value["side"], value["side"]))
        name = formats.first_line(value["name"]) if value["is_one_of_many"] else ""
        size = f"{formats.count(value['content_bytes'])} bytes"
        if formats.is_unknown(value["content"]):
            st.text(formats.sentence_list((label, name, f"{size}, text not kept")))
            continue
        cut = f"cut, {size} in all" if value["is_cut"] else ""
        for role, text, language in spoken(value["content"]) or [("", "", None)]:
            st.text(formats.sentence_list((label, name, formats.first_line(role), cut)))
            st.code(text[:_CONTENT_LIMIT], language=language, wrap_lines=True)


def _draw_events(trace_id: str, span_id: str) -> None:
    events = ask("span_events", trace=trace_id, span=span_id)
    if events.empty:
        st.text("No event.")
    for index, row in enumerate(events.to_dict("records")):
        offset = formats.number(row["offset_ms"])
        when = formats.UNKNOWN if offset is None else "+" + formats.duration(offset)
        st.text(f"{formats.first_line(row['name'])}  {when}")
        fact_list(_pairs(_map(row["attributes_json"])), key=f"span-event-{index}")


def _known(span: Mapping[str, Any]) -> dict[str, str]:
    """The columns that were read from the attributes, where they say something."""
    hidden = {"attributes_json", "resource_json", "name", "started_at", "error_message"}
    return {
        f"({name})": _text(value)
        for name, value in span.items()
        if name not in hidden and not formats.is_unknown(value) and value != ""
    }


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pairs(values: Mapping[str, str]) -> list[Fact]:
    if not values:
        return [Fact("none", "")]
    return [Fact(name, str(value)[:_CONTENT_LIMIT]) for name, value in values.items()]


def _map(text: Any) -> dict[str, str]:
    if formats.is_unknown(text):
        return {}
    known = json.loads(str(text))
    return {str(name): "" if value is None else str(value) for name, value in sorted(known.items())}
