"""Objectives: what each service attains of its targets, what is left of the budget, and how fast it goes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.facts import Fact, fact_strip
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask, ask_ahead, ask_one
from spandeck_dashboard.views import columns

_STATES = ["missed", "attained", "not reported"]
_TONES = {"attained": "ok", "missed": "error", "not reported": "muted"}
_MEMORY_PX = 190


@frame.page_of("objectives")
@frame.needs_spans
def page(filters: Filters) -> None:
    """The worst in one line, all objectives by service, and the memory tiers that two of them measure."""
    with st.container(horizontal=True, key="objective-filters", vertical_alignment="center"):
        state = st.pills("State", _STATES, key="attained", label_visibility="collapsed", bind="query-params")
    of_service = filters.only("since", "until", "service")
    ask_ahead(
        ("objective_kpis", of_service),
        ("objectives", of_service | {"before": filters.before, "state": state}),
        ("memory_tiers", of_service),
    )
    _draw_facts(filters)
    _draw_objectives(filters, state)
    _draw_memory(filters)


def _draw_facts(filters: Filters) -> None:
    found = ask_one("objective_kpis", **filters.only("since", "until", "service"))
    fact_strip(
        [
            Fact("Attained", formats.whole(found["attained_count"])),
            Fact("Missed", formats.whole(found["missed_count"]), bad=bool(found["missed_count"])),
            Fact("Not reported", formats.whole(found["unreported_count"]), "nothing tells them"),
            Fact("Services", formats.whole(found["service_count"])),
            Fact("Lowest budget left", formats.ratio(found["lowest_budget_left_ratio"]), _of(found, "lowest_budget")),
            Fact("Highest burn rate", formats.times(found["highest_burn_rate"]), _of(found, "highest_burn")),
        ],
        key="objective-facts",
        card=True,
    )


def _of(found: dict[str, Any], what: str) -> str:
    return formats.sentence_list((formats.plain(found[f"{what}_service"]), _words(found[f"{what}_objective"])))


def _words(name: object) -> str:
    return formats.plain(name).replace("_", " ")


def _draw_objectives(filters: Filters, state: str | None) -> None:
    params = filters.only("before", "since", "until", "service") | {"state": state}
    with card(
        "objectives",
        "Objectives",
        "by the service that requests entered; burn rate: how many times faster than allowed in its last hour",
        queries=("objectives",),
        params=params,
    ):
        rows = ask("objectives", **params)
        table(
            _columns(rows, filters.against),
            key="objectives",
            label="Objectives by service",
            height="max(360px, calc(100vh - 470px))",
            empty="No such objective in this period.",
        )


def _columns(rows: pd.DataFrame, against: str) -> list[Column]:
    states = [str(each) for each in rows["state"]]
    return [
        columns.text("Service", rows["service"], "unnamed service", width="12%"),
        columns.text("Objective", rows["description"], width="31%"),
        Column("State", states, "status", "106px", tone=[_TONES[each] for each in states]),
        columns.ratio("Attained", rows["attained_ratio"], "72px"),
        columns.ratio("Target", rows["target_ratio"], "70px"),
        columns.ratio(against.removeprefix("vs ").capitalize(), rows["previous_attained_ratio"], "82px"),
        columns.ratio("Budget left", rows["budget_left_ratio"], "116px", share=columns.numbers(rows["budget_share"])),
        columns.times("Burn rate", rows["burn_rate"]),
        columns.count("Measured", rows["measured_count"], "72px"),
        columns.count("Missed", rows["missed_count"], "62px"),
        columns.ago("Last", rows["last_age_s"], "88px"),
    ]


def _draw_memory(filters: Filters) -> None:
    params = filters.only("since", "until", "service")
    with card(
        "memory", "Memory", "by tier and operation; a row opens the slowest", queries=("memory_tiers",), params=params
    ):
        rows = ask("memory_tiers", **params)
        opened = table(
            [
                columns.text("Tier", [_words(each) for each in rows["tier"]], width="18%"),
                columns.text("Operation", [_words(each) for each in rows["operation"]]),
                columns.text("Service", rows["service"], "unnamed service", width="20%", tone=["muted"] * len(rows)),
                columns.count("Operations", rows["operation_count"], "84px"),
                *(columns.duration(name, rows[f"{name}_ms"]) for name in ("p50", "p95", "p99")),
                columns.ratio("Failed", rows["error_ratio"]),
            ],
            key="memory",
            label="Operations on memory, slowest first",
            links=columns.links(rows, "slowest_trace_id", "slowest_span_id"),
            height=_MEMORY_PX,
            empty="Not reported: no span of this period tells of a memory tier.",
        )
        columns.go(rows, opened, "slowest_trace_id", "slowest_span_id")
