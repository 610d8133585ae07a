"""Alerts: what fired, how bad, and the span behind it in one click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import charts, formats, frame, theme
from spandeck_dashboard.cards import card, guarded, heading
from spandeck_dashboard.components.board import Series, board
from spandeck_dashboard.components.pulse import pulse
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters, moved_to_now
from spandeck_dashboard.queries import ask
from spandeck_dashboard.views import alert_response, columns

_SEVERITIES = ["critical", "error", "warning", "info"]
_STATES = ["firing", "acknowledged", "snoozed", "pending", "no_data", "resolved"]
_STATE_TONES = {"firing": "error", "no_data": "error", "pending": "warning"}
_RULE_TONES = {"active": "ok", "broken": "error"}
_TONES = {"critical": "error", "error": "error", "warning": "warning", "info": "info"}
_BEAT_S = 5
_RULES_PX = 150


@frame.page_of("alerts")
@frame.needs_spans
def page(filters: Filters) -> None:
    """What fired over time, which rules run, then the feed of the period, latest first."""
    with st.container(horizontal=True, key="alert-filters", vertical_alignment="center"):
        severity = st.pills("Severity", _SEVERITIES, key="severity", label_visibility="collapsed", bind="query-params")
        state = st.pills("State", _STATES, key="state", label_visibility="collapsed", bind="query-params")
    left, right = st.columns([1, 1.8], gap="small")
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
    subtitle = "a row opens the latest span"
    with card("alert-rules", "Rules", subtitle, queries=("alert_rule_states",), params=params):
        rows = ask("alert_rule_states", **params)
        states = [str(each) for each in rows["state"]]
        opened = table(
            [
                columns.text("Rule", [_words(each) for each in rows["rule"]], width="24%"),
                _severities(rows),
                Column("Runs", states, "status", "76px", tone=[_RULE_TONES.get(each, "muted") for each in states]),
                columns.count("Alerts", rows["alert_count"], "56px"),
                columns.count("Firing", rows["firing_count"], "56px"),
                _latest(rows),
                columns.ago("When", rows["last_age_s"]),
            ],
            key="alert-rules",
            label="Rules, broken ones first, then those that fired",
            links=columns.links(rows, "last_trace_id", "last_span_id"),
            height=_RULES_PX,
            grows=False,
            empty="No rule is in force.",
        )
        columns.go(rows, opened, "last_trace_id", "last_span_id")


def _latest(rows: pd.DataFrame) -> Column:
    """The latest alert of a rule, or why the rule does not run."""
    shown = [
        f"line {line:.0f}: {error}" if not formats.is_unknown(line) else formats.plain(error)
        for line, error in zip(rows["error_line"], rows["error"], strict=True)
    ]
    latest = columns.texts(rows["last_message"], "")
    broken = [each == "broken" for each in rows["state"]]
    texts = [formats.first_line(why) if bad else last for bad, why, last in zip(broken, shown, latest, strict=True)]
    return Column("Latest", texts, tone=["error" if each else "muted" for each in broken], hint=texts)


@st.fragment
@guarded("alerts")
def _draw_feed(filters: Filters, severity: str | None, state: str | None) -> None:
    params = moved_to_now(filters).only("since", "until") | {"severity": severity, "state": state}
    with st.container(border=True, key="card-alerts"):
        rows = ask("alert_feed", **params)
        heading(
            "alerts",
            "Alerts",
            columns.how_many(rows),
            queries=("alert_feed",),
            controls=lambda: _draw_controls(filters, rows),
            params=params,
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


def _draw_controls(filters: Filters, rows: pd.DataFrame) -> None:
    alert_response.draw(rows)
    pulse(key="alert-beat", every_s=_BEAT_S, is_on=filters.is_live)


def _words(rule: object) -> str:
    return str(rule).replace("_", " ")


def _severities(rows: pd.DataFrame) -> Column:
    tones = [_TONES.get(str(each), "info") for each in rows["severity"]]
    return Column("Severity", [formats.plain(each) for each in rows["severity"]], "badge", "92px", tone=tones)


def _columns(rows: pd.DataFrame, zone: str | None) -> list[Column]:
    states = [formats.plain(each) for each in rows["state"]]
    repeats = [f"{each:,} times" if each > 1 else "" for each in rows["repeat_count"]]
    return [
        columns.text("Alert", rows["message"], note=repeats),
        _severities(rows),
        Column("Rule", [_words(each) for each in rows["rule"]], width="148px"),
        columns.text("Subject", rows["subject"], width="17%", tone=["muted"] * len(rows)),
        Column(
            "State",
            [_words(each) for each in states],
            "status",
            "118px",
            tone=[_STATE_TONES.get(each, "muted") for each in states],
            hint=[_since(row, zone) for row in rows.to_dict("records")],
        ),
        columns.ago("Fired", rows["age_s"], hint=[_when(each, zone) for each in rows["fired_at"]]),
    ]


def _since(row: Mapping[Any, Any], zone: str | None) -> str:
    """Since when an alert is as it is, in words."""
    told = (
        ("pending since", row["pending_at"] if row["state"] == "pending" else None),
        ("acknowledged", row["acknowledged_at"]),
        ("snoozed until", row["snoozed_until"]),
        ("resolved", row["resolved_at"]),
    )
    return formats.sentence_list(f"{words} {_when(at, zone)}" for words, at in told if not formats.is_unknown(at))


def _when(at: Any, zone: str | None) -> str:
    return "" if formats.is_unknown(at) else f"{formats.moment(at, zone)} {formats.zone_name(zone)}"
