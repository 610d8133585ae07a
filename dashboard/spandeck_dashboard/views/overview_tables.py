"""The tables of the Overview; each row that fails or fires leads to its latest span."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from spandeck_dashboard import charts, formats, routes, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask
from spandeck_dashboard.views import columns

_ROWS_PX = 232
_COLOURS = {"critical": ":red", "error": ":red", "warning": ":orange"}
# A button label is markdown: of a rule's name only words may pass.
_WORDS = re.compile(r"[^A-Za-z0-9]+")
_ICONS = {"critical": "error", "error": "error", "warning": "warning"}


def draw_alert_strip(filters: Filters) -> None:
    """One button a rule that fired: how often, how long ago; it opens the latest span."""
    rules = ask("alert_summary", **filters.only("since", "until"))
    if rules.empty:
        return
    with st.container(horizontal=True, key="alert-strip", vertical_alignment="center", gap="small"):
        for row in rules.to_dict("records"):
            colour = _COLOURS.get(row["severity"], ":blue")
            icon = f":material/{_ICONS.get(row['severity'], 'info')}:"
            words = _WORDS.sub(" ", str(row["rule"]))
            label = (
                f"{colour}[{icon} **{formats.count(row['alert_count'])}**] {words} · {formats.ago(row['last_age_s'])}"
            )
            if st.button(label, key=f"alert-{row['rule']}-{row['severity']}", type="tertiary"):
                routes.open_trace(row["last_trace_id"], row["last_span_id"])
        if st.button(
            "All alerts", key="all-alerts", type="tertiary", icon=":material/arrow_forward:", icon_position="right"
        ):
            routes.open_page("alerts")


def draw_models(filters: Filters) -> None:
    """Models, dearest first, with the colours of the chart above."""
    rows = ask("models", **filters.calls())
    colours = theme.palette()
    swatches = [charts.series_colour(int(rank), colours) for rank in rows["rank"]]
    table(
        [
            columns.text("Model", rows["model"], "unnamed model", swatch=swatches),
            columns.money("Cost", rows["cost_usd"], rows["unpriced_call_count"], "84px"),
            columns.duration("p95", rows["p95_ms"], "70px"),
            columns.count("Calls", rows["call_count"], "58px"),
        ],
        key="models",
        label="Models by cost",
        height=176,
        grows=False,
    )


def draw_tools(filters: Filters) -> None:
    """Tools, worst first; a row opens the latest failed call."""
    params = filters.calls()
    with card("tools", "Tools", "worst first", queries=("tools",), params=params):
        rows = ask("tools", **params)
        opened = table(
            tool_columns(rows),
            key="tools",
            label="Tools, worst first",
            links=columns.links(rows, "last_failed_trace_id", "last_failed_span_id"),
            height=_ROWS_PX,
            grows=False,
            empty="No tool call in this period.",
        )
        columns.go(rows, opened, "last_failed_trace_id", "last_failed_span_id")


def tool_columns(rows: pd.DataFrame) -> list[Column]:
    """What is shown of a tool, from `tools`."""
    errors = [columns.reason(*each) for each in zip(rows["top_error_type"], rows["top_error_message"], strict=True)]
    return [
        columns.text("Tool", rows["tool_name"], "unnamed tool", width="23%"),
        columns.ratio("Failed", rows["error_ratio"], "112px", share=columns.numbers(rows["share_of_worst"])),
        columns.trend("When", rows["error_trend"], "92px"),
        columns.count("Calls", rows["call_count"], "60px"),
        columns.duration("p95", rows["p95_ms"]),
        Column("Most frequent error", errors, tone=["muted" if e == formats.UNKNOWN else "" for e in errors]),
    ]


def draw_agents(filters: Filters) -> None:
    """Agents, dearest first."""
    params = filters.calls()
    with card("agents", "Agents", "by cost", queries=("agents",), params=params):
        rows = ask("agents", **params)
        table(
            agent_columns(rows),
            key="agents",
            label="Agents by cost",
            height=_ROWS_PX,
            grows=False,
            empty="No model call in this period.",
        )


def agent_columns(rows: pd.DataFrame) -> list[Column]:
    """What is shown of an agent, from `agents`."""
    shares = columns.numbers(rows["cost_share"])
    return [
        columns.text("Agent", rows["agent_name"], "outside any agent"),
        columns.money("Cost", rows["cost_usd"], rows["unpriced_call_count"], "128px", share=shares),
        columns.trend("When", rows["cost_trend"], "118px"),
        columns.count("Tokens", rows["token_count"], "72px"),
        columns.count("Calls", rows["call_count"], "60px"),
        columns.duration("p95", rows["p95_ms"]),
        columns.ratio("Failed", rows["error_ratio"], "70px"),
    ]


def draw_errors(filters: Filters) -> None:
    """Kinds of failure, most frequent first; a row opens the latest one."""
    rows = ask("errors", **filters.calls())
    opened = table(
        [
            columns.text("Error", rows["error_type"], note=columns.texts(rows["source"])),
            columns.count("Count", rows["error_count"], "62px"),
            columns.ago("Last", rows["last_age_s"], "86px"),
        ],
        key="error-kinds",
        label="Kinds of failure",
        links=columns.links(rows, "last_trace_id", "last_span_id"),
        height=_ROWS_PX,
        grows=False,
        empty="No failed call in this period.",
    )
    columns.go(rows, opened, "last_trace_id", "last_span_id")


def draw_services(filters: Filters) -> None:
    """Services by their entry spans, GenAI or not."""
    params = filters.only("since", "until", "service")
    with card("services", "Services", "entry spans", queries=("services",), params=params):
        rows = ask("services", **params)
        table(
            [columns.text("Service", rows["service"], "unnamed service"), *_latency_columns(rows)],
            key="services",
            label="Services",
            height=_ROWS_PX,
            grows=False,
        )


def draw_operations(filters: Filters) -> None:
    """Operations of services, slowest first."""
    params = filters.only("since", "until", "service")
    with card("operations", "Operations", "slowest first", queries=("operations",), params=params):
        rows = ask("operations", **params)
        services = columns.texts(rows["service"], "unnamed service")
        table(
            [columns.text("Operation", rows["name"], note=services), *_latency_columns(rows)],
            key="operations",
            label="Operations, slowest first",
            height=_ROWS_PX,
            grows=False,
        )


def _latency_columns(rows: pd.DataFrame) -> list[Column]:
    return [
        columns.count("Calls", rows["call_count"], "62px"),
        *(columns.duration(name, rows[f"{name}_ms"], "70px") for name in ("p50", "p95", "p99")),
        columns.ratio("Failed", rows["error_ratio"], "70px"),
    ]
