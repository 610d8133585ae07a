"""Health: what arrived, what was refused or lost on the way, and what the doctor advises."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.facts import Fact, fact_strip
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_one
from spandeck_dashboard.views import columns

_LIST_PX = 300
_TONES = {"error": "error", "warning": "warning"}
_STEP_S = 5


@frame.page_of("health")
def page(_: Filters) -> None:
    """The store in one line, the doctor's findings, what was received, and what clients lost."""
    now = _now()
    _draw_store(now)
    _draw_findings()
    left, right = st.columns([1.7, 1], gap="small")
    with left:
        _draw_ingest(now)
    with right:
        _draw_drops(now)


def _now() -> datetime:
    # Steps keep the questions of a few seconds equal, so that one answer serves them all.
    seconds = int(datetime.now(UTC).timestamp())
    return datetime.fromtimestamp(seconds - seconds % _STEP_S + _STEP_S, UTC)


def _draw_store(now: datetime) -> None:
    found = ask_one("health_store", now=now)
    zone = st.context.timezone
    fact_strip(
        [
            Fact("Spans", formats.whole(found["span_count"])),
            Fact("Traces", formats.whole(found["trace_count"])),
            Fact("Since", formats.moment(found["first_started_at"], zone), formats.zone_name(zone)),
            Fact("Last received", formats.ago(found["last_received_age_s"])),
            Fact("Lag p95, last hour", formats.duration(found["lag_p95_ms"]), "from a span's end to here"),
            Fact("Prices", formats.plain(found["prices_source"])),
            Fact("Schema version", formats.whole(found["schema_version"])),
        ],
        key="store-facts",
        card=True,
    )
    if found["advice"]:
        with st.container(key="store-advice"):
            st.text(str(found["advice"]))


def _draw_findings() -> None:
    with card(
        "findings",
        "Doctor",
        "what the instrumentation leaves out, and the line that mends it",
        queries=("health_findings",),
    ):
        rows = ask("health_findings")
        tones = [_TONES.get(str(each), "info") for each in rows["severity"]]
        opened = table(
            [
                Column("Severity", columns.texts(rows["severity"]), "badge", "92px", tone=tones),
                columns.text("Service", rows["service"], "unnamed service", width="13%"),
                columns.text("Finding", rows["message"], width="38%"),
                columns.ratio("Of spans", rows["affected_ratio"], "76px"),
                columns.text("What to do", rows["fix"], tone=["muted"] * len(rows)),
            ],
            key="findings",
            label="Findings of the doctor",
            links=columns.links(rows, "example_trace_id", "example_span_id"),
            height=_LIST_PX,
            empty="Nothing to mend in the last 24 hours of data.",
        )
        columns.go(rows, opened, "example_trace_id", "example_span_id")


def _draw_ingest(now: datetime) -> None:
    with card("ingest", "Received", "since the store began", queries=("health_ingest",), params={"now": now}):
        rows = ask("health_ingest", now=now)
        table(
            [
                columns.text("Service", rows["service"], width="38%", note=columns.texts(rows["sent_by"], "")),
                columns.count("Received", rows["received_count"], "76px"),
                columns.count("Stored", rows["stored_count"], "70px"),
                columns.count("Twice", rows["duplicate_count"], "62px"),
                _refused(rows),
                columns.text("Why refused", rows["refusal_reason"], "", width="24%", tone=["muted"] * len(rows)),
                columns.ago("Last", rows["last_received_age_s"]),
            ],
            key="ingest",
            label="What was received, by service and signal",
            height=_LIST_PX,
            empty="Nothing was received yet.",
        )


def _refused(rows: pd.DataFrame) -> Column:
    shown = [formats.count(each) if each else "" for each in columns.numbers(rows["refused_count"])]
    return Column(
        "Refused", shown, "number", "72px", sort=columns.numbers(rows["refused_count"]), tone=["error"] * len(rows)
    )


def _draw_drops(now: datetime) -> None:
    with card("drops", "Lost by clients", "as they tell themselves", queries=("health_drops",), params={"now": now}):
        rows = ask("health_drops", now=now)
        table(
            [
                columns.text("Service", rows["service"], "unnamed service"),
                columns.text("Why", rows["reason"], "not told", width="38%"),
                columns.count("Spans", rows["dropped_count"]),
                columns.ago("Last", rows["last_age_s"]),
            ],
            key="drops",
            label="Spans that clients dropped",
            height=_LIST_PX,
            empty="No client told of a lost span.",
        )
