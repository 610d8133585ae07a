"""Alerts: what fired, how bad, and the span behind it in one click."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame, routes
from spandeck_dashboard.cards import heading
from spandeck_dashboard.components.table import LIST_HEIGHT, Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask

_SEVERITIES = ["critical", "error", "warning", "info"]
_TONES = {"critical": "error", "error": "error", "warning": "warning", "info": "info"}


@frame.page_of("alerts")
def page(filters: Filters) -> None:
    """The feed of the period, latest first."""
    with st.container(horizontal=True, key="alert-filters", vertical_alignment="center"):
        severity = st.pills("Severity", _SEVERITIES, key="severity", label_visibility="collapsed", bind="query-params")
    params = filters.only("since", "until") | {"severity": severity}
    with st.container(border=True, key="card-alerts"):
        rows = ask("alert_feed", **params)
        heading("alerts", "Alerts", _how_many(rows), queries=("alert_feed",), **params)
        opened = table(
            _columns(rows, st.context.timezone),
            key="alerts",
            label="Alerts, latest first",
            links=[routes.trace_link(*each) for each in zip(rows["trace_id"], rows["span_id"], strict=True)],
            height=LIST_HEIGHT,
            empty="No alert in this period.",
        )
    if opened is not None and opened < len(rows):
        routes.open_trace(rows["trace_id"].iloc[opened], rows["span_id"].iloc[opened])


def _how_many(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "none"
    matching = int(rows["matching_count"].iloc[0])
    shown = f"the latest {len(rows):,} of {matching:,}" if matching > len(rows) else f"{matching:,}"
    return f"{shown}, latest first"


def _columns(rows: pd.DataFrame, zone: str | None) -> list[Column]:
    firing = [str(each) == "firing" for each in rows["state"]]
    return [
        Column("Alert", [formats.first_line(each) for each in rows["message"]]),
        Column(
            "Severity",
            [formats.plain(each) for each in rows["severity"]],
            "badge",
            "92px",
            tone=[_TONES.get(str(each), "info") for each in rows["severity"]],
        ),
        Column("Rule", [str(each).replace("_", " ") for each in rows["rule"]], width="132px"),
        Column(
            "Subject", [formats.first_line(each) for each in rows["subject"]], width="17%", tone=["muted"] * len(rows)
        ),
        Column(
            "State",
            [formats.plain(each) for each in rows["state"]],
            width="68px",
            tone=["" if each else "muted" for each in firing],
        ),
        Column(
            "Fired",
            [formats.ago(each) for each in rows["age_s"]],
            "number",
            "92px",
            sort=[float(each) for each in rows["age_s"]],
            hint=[f"{formats.moment(each, zone)} {formats.zone_name(zone)}" for each in rows["fired_at"]],
        ),
    ]
