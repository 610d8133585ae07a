"""The tables of the Overview; each row that fails or fires leads to its latest span."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import charts, formats, routes, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask

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
    table(
        [
            Column(
                "Model",
                _texts(rows["model"], "unnamed model"),
                swatch=[charts.series_colour(int(rank), colours) for rank in rows["rank"]],
            ),
            Column(
                "Cost",
                [_cost(*each) for each in zip(rows["cost_usd"], rows["unpriced_call_count"], strict=True)],
                "number",
                "84px",
                sort=_numbers(rows["cost_usd"]),
            ),
            Column("p95", _durations(rows["p95_ms"]), "number", "70px", sort=_numbers(rows["p95_ms"])),
            Column("Calls", _counts(rows["call_count"]), "number", "58px", sort=_numbers(rows["call_count"])),
        ],
        key="models",
        label="Models by cost",
        height=176,
        grows=False,
    )


def draw_tools(filters: Filters) -> None:
    """Tools, worst first; a row opens the latest failed call."""
    params = filters.calls()
    with card("tools", "Tools", "worst first", queries=("tools",), **params):
        rows = ask("tools", **params)
        errors = [_error(*each) for each in zip(rows["top_error_type"], rows["top_error_message"], strict=True)]
        opened = table(
            [
                Column("Tool", _texts(rows["tool_name"], "unnamed tool"), width="23%"),
                Column(
                    "Failed",
                    [formats.ratio(each) for each in rows["error_ratio"]],
                    "number",
                    "112px",
                    sort=_numbers(rows["error_ratio"]),
                    share=_numbers(rows["share_of_worst"]),
                ),
                Column("When", [""] * len(rows), width="92px", trend=_trends(rows["error_trend"])),
                Column("Calls", _counts(rows["call_count"]), "number", "60px", sort=_numbers(rows["call_count"])),
                Column("p95", _durations(rows["p95_ms"]), "number", "76px", sort=_numbers(rows["p95_ms"])),
                Column("Most frequent error", errors, tone=["muted" if e == formats.UNKNOWN else "" for e in errors]),
            ],
            key="tools",
            label="Tools, worst first",
            links=_links(rows, "last_failed_trace_id", "last_failed_span_id"),
            height=_ROWS_PX,
            grows=False,
            empty="No tool call in this period.",
        )
        _go(rows, opened, "last_failed_trace_id", "last_failed_span_id")


def draw_agents(filters: Filters) -> None:
    """Agents, dearest first."""
    params = filters.calls()
    with card("agents", "Agents", "by cost", queries=("agents",), **params):
        rows = ask("agents", **params)
        table(
            [
                Column("Agent", _texts(rows["agent_name"], "outside any agent")),
                Column(
                    "Cost",
                    [_cost(*each) for each in zip(rows["cost_usd"], rows["unpriced_call_count"], strict=True)],
                    "number",
                    "128px",
                    sort=_numbers(rows["cost_usd"]),
                    share=_numbers(rows["cost_share"]),
                ),
                Column("When", [""] * len(rows), width="118px", trend=_trends(rows["cost_trend"])),
                Column("Tokens", _counts(rows["token_count"]), "number", "72px", sort=_numbers(rows["token_count"])),
                Column("Calls", _counts(rows["call_count"]), "number", "60px", sort=_numbers(rows["call_count"])),
                Column("p95", _durations(rows["p95_ms"]), "number", "76px", sort=_numbers(rows["p95_ms"])),
                Column(
                    "Failed",
                    [formats.ratio(each) for each in rows["error_ratio"]],
                    "number",
                    "70px",
                    sort=_numbers(rows["error_ratio"]),
                ),
            ],
            key="agents",
            label="Agents by cost",
            height=_ROWS_PX,
            grows=False,
            empty="No model call in this period.",
        )


def draw_errors(filters: Filters) -> None:
    """Kinds of failure, most frequent first; a row opens the latest one."""
    rows = ask("errors", **filters.calls())
    opened = table(
        [
            Column("Error", _texts(rows["error_type"]), note=_texts(rows["source"])),
            Column("Count", _counts(rows["error_count"]), "number", "62px", sort=_numbers(rows["error_count"])),
            Column(
                "Last",
                [formats.ago(each) for each in rows["last_age_s"]],
                "number",
                "86px",
                sort=_numbers(rows["last_age_s"]),
            ),
        ],
        key="error-kinds",
        label="Kinds of failure",
        links=_links(rows, "last_trace_id", "last_span_id"),
        height=_ROWS_PX,
        grows=False,
        empty="No failed call in this period.",
    )
    _go(rows, opened, "last_trace_id", "last_span_id")


def draw_services(filters: Filters) -> None:
    """Services by their entry spans, GenAI or not."""
    params = filters.only("since", "until", "service")
    with card("services", "Services", "entry spans", queries=("services",), **params):
        rows = ask("services", **params)
        table(
            [Column("Service", _texts(rows["service"], "unnamed service")), *_latency_columns(rows)],
            key="services",
            label="Services",
            height=_ROWS_PX,
            grows=False,
        )


def draw_operations(filters: Filters) -> None:
    """Operations of services, slowest first."""
    params = filters.only("since", "until", "service")
    with card("operations", "Operations", "slowest first", queries=("operations",), **params):
        rows = ask("operations", **params)
        table(
            [
                Column("Operation", _texts(rows["name"]), note=_texts(rows["service"], "unnamed service")),
                *_latency_columns(rows),
            ],
            key="operations",
            label="Operations, slowest first",
            height=_ROWS_PX,
            grows=False,
        )


def _latency_columns(rows: pd.DataFrame) -> list[Column]:
    columns = [Column("Calls", _counts(rows["call_count"]), "number", "62px", sort=_numbers(rows["call_count"]))]
    columns += [
        Column(name, _durations(rows[key]), "number", "70px", sort=_numbers(rows[key]))
        for name, key in (("p50", "p50_ms"), ("p95", "p95_ms"), ("p99", "p99_ms"))
    ]
    ratios = [formats.ratio(each) for each in rows["error_ratio"]]
    return [*columns, Column("Failed", ratios, "number", "70px", sort=_numbers(rows["error_ratio"]))]


def _go(rows: pd.DataFrame, opened: int | None, trace: str, span: str) -> None:
    if opened is not None and opened < len(rows):
        routes.open_trace(rows[trace].iloc[opened], rows[span].iloc[opened])


def _links(rows: pd.DataFrame, trace: str, span: str) -> list[str | None]:
    return [routes.trace_link(*each) for each in zip(rows[trace], rows[span], strict=True)]


def _cost(usd: Any, unpriced: Any) -> str:
    if formats.number(unpriced) and formats.is_unknown(usd):
        return "no price"
    return formats.money(usd) + (" + ?" if formats.number(unpriced) else "")


def _error(error_type: Any, message: Any) -> str:
    parts = [formats.plain(error_type), formats.first_line(message)]
    return ": ".join(part for part in parts if part != formats.UNKNOWN) or formats.UNKNOWN


def _texts(values: Sequence[Any] | pd.Series, unknown: str = formats.UNKNOWN) -> list[str]:
    return [unknown if formats.is_unknown(each) else formats.first_line(each) for each in values]


def _counts(values: pd.Series) -> list[str]:
    return [formats.count(each) for each in values]


def _durations(values: pd.Series) -> list[str]:
    return [formats.duration(each) for each in values]


def _numbers(values: pd.Series) -> list[float | None]:
    return [formats.number(each) for each in values]


def _trends(values: pd.Series) -> list[list[float]]:
    return [[float(each) for each in trend] for trend in values]
