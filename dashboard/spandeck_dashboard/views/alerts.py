"""Alerts: what fired, how bad, and the span behind it in one click."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from spandeck_dashboard import charts, formats, frame, theme
from spandeck_dashboard.cards import card, guarded, heading
from spandeck_dashboard.components.board import Series, board
from spandeck_dashboard.components.pulse import pulse
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters, moved_to_now
from spandeck_dashboard.queries import ask
from spandeck_dashboard.views import columns

_SEVERITIES = ["critical", "error", "warning", "info"]
_STATES = ["firing", "resolved"]
_TONES = {"critical": "error", "error": "error", "warning": "warning", "info": "info"}
_BEAT_S = 5
_RULES_PX = 150


@frame.page_of("alerts")
@frame.needs_spans
def page(filters: Filters) -> None:
    """What fired over time and by rule, then the feed of the period, latest first."""
    with st.container(horizontal=True, key="alert-filters", vertical_alignment="center"):
        severity = st.pills("Severity", _SEVERITIES, key="severity", label_visibility="collapsed", bind="query-params")
        state = st.pills("State", _STATES, key="state", label_visibility="collapsed", bind="query-params")
    left, right = st.columns([1, 1.3], gap="small")
    with left:
        _draw_series(filters, severity, state)
    with right:
        _draw_rules(filters)
    _draw_feed(filters, severity, state)


def _draw_series(filters: Filters, severity: str | None, state: str | None) -> None:
    params = filters.only("since", "until") | {"severity": severity, "state": state}
    with card("alert-series", "Fired", "over time", queries=("alert_series",), params=params):
        rows = ask("alert_series", **params)
        colours = theme.palette()
        board(
            charts.moments(rows),
            [
                Series("error", columns.numbers(rows["error_count"]), colours.bad, "bars"),
                Series("warning", columns.numbers(rows["warning_count"]), colours.tool, "bars", hatched=True),
                Series("info", columns.numbers(rows["info_count"]), colours.other, "bars"),
            ],
            key="alert-series",
            label="Alerts over time by severity",
            filters=filters,
            unit="count",
            height=_RULES_PX - 20,
            legend=True,
        )


def _draw_rules(filters: Filters) -> None:
    params = filters.only("since", "until")
    with card("alert-rules", "Rules", "a row opens the latest span", queries=("alert_summary",), params=params):
        rows = ask("alert_summary", **params)
        opened = table(
            [
                columns.text("Rule", [_words(each) for each in rows["rule"]], width="23%"),
                _severities(rows),
                columns.count("Alerts", rows["alert_count"]),
                columns.count("Firing", rows["firing_count"]),
                columns.text("Latest", rows["last_message"], tone=["muted"] * len(rows)),
                columns.ago("When", rows["last_age_s"]),
            ],
            key="alert-rules",
            label="Rules that fired",
            links=columns.links(rows, "last_trace_id", "last_span_id"),
            height=_RULES_PX,
            grows=False,
            empty="No rule fired in this period.",
        )
        columns.go(rows, opened, "last_trace_id", "last_span_id")


@st.fragment
@guarded("alerts")
def _draw_feed(filters: Filters, severity: str | None, state: str | None) -> None:
    params = moved_to_now(filters).only("since", "until") | {"severity": severity, "state": state}
    with st.container(border=True, key="card-alerts"):
        rows = ask("alert_feed", **params)
        heading(
            "alerts", "Alerts", _how_many(rows), queries=("alert_feed",), controls=lambda: _beat(filters), params=params
        )
        opened = table(
            _columns(rows, st.context.timezone),
            key="alerts",
            label="Alerts, latest first",
            links=columns.links(rows, "trace_id", "span_id"),
            height="max(320px, calc(100vh - 400px))",
            empty="No alert in this period.",
        )
    columns.go(rows, opened, "trace_id", "span_id", from_fragment=True)


def _beat(filters: Filters) -> None:
    pulse(key="alert-beat", every_s=_BEAT_S, is_on=filters.is_live)


def _how_many(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "none"
    matching = int(rows["matching_count"].iloc[0])
    shown = f"the latest {len(rows):,} of {matching:,}" if matching > len(rows) else f"{matching:,}"
    return f"{shown}, latest first"


def _words(rule: object) -> str:
    return str(rule).replace("_", " ")


def _severities(rows: pd.DataFrame) -> Column:
    tones = [_TONES.get(str(each), "info") for each in rows["severity"]]
    return Column("Severity", [formats.plain(each) for each in rows["severity"]], "badge", "92px", tone=tones)


def _columns(rows: pd.DataFrame, zone: str | None) -> list[Column]:
    states = [formats.plain(each) for each in rows["state"]]
    return [
        columns.text("Alert", rows["message"]),
        _severities(rows),
        Column("Rule", [_words(each) for each in rows["rule"]], width="132px"),
        columns.text("Subject", rows["subject"], width="17%", tone=["muted"] * len(rows)),
        Column("State", states, width="68px", tone=["" if each == "firing" else "muted" for each in states]),
        columns.ago(
            "Fired",
            rows["age_s"],
            hint=[f"{formats.moment(each, zone)} {formats.zone_name(zone)}" for each in rows["fired_at"]],
        ),
    ]
