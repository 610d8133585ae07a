"""The lower half of Cost: what the optimizer saved by day, and what is left of the budgets."""

from __future__ import annotations

import pandas as pd

from spandeck_dashboard import formats
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import ask
from spandeck_dashboard.views import columns

_ROWS_PX = 216
_TONES = {"hard": "error", "soft": "warning", "ok": "ok"}


def draw_savings(filters: Filters) -> None:
    """What caches, routes and compression saved, by day and service, beside what was spent all the same."""
    params = filters.only("since", "until", "service")
    with card("savings", "Saved", "by day (UTC), against what was spent", queries=("savings",), params=params):
        rows = ask("savings", **params)
        table(
            [
                Column("Day", [f"{each:%b %d}" for each in rows["day"]], width="58px"),
                columns.text("Service", rows["service"], "unnamed service"),
                columns.money("Saved", rows["saved_usd"], rows["unpriced_hit_count"], "92px"),
                columns.money("by caches", rows["cache_saved_usd"], rows["unpriced_hit_count"], "84px"),
                columns.money("by routes", rows["route_saved_usd"], width="78px"),
                columns.money("Spent", rows["cost_usd"], rows["unpriced_call_count"], "76px"),
                columns.ratio("Hits", rows["hit_ratio"], "62px", hint=_lookups(rows)),
                columns.count("Wrong hits", rows["wrong_hit_count"], "84px"),
                columns.count("Routed", rows["routed_count"], "72px"),
                columns.count("Characters cut", rows["compressed_away_characters"], "112px"),
                columns.duration("Time added", rows["added_ms"], "88px"),
            ],
            key="savings",
            label="What the optimizer saved, by day and service",
            height=_ROWS_PX,
            empty="No request of this period went through a cache, a router or compression.",
        )


def _lookups(rows: pd.DataFrame) -> list[str]:
    return [
        f"{formats.whole(hits)} of {formats.whole(lookups)} lookups"
        for hits, lookups in zip(rows["hit_count"], rows["lookup_count"], strict=True)
    ]


def _periods(rows: pd.DataFrame) -> list[str]:
    return [
        "a session" if formats.is_unknown(day) else f"{day:%b %d} ({zone})"
        for day, zone in zip(rows["day"], rows["time_zone"], strict=True)
    ]


def draw_budgets(filters: Filters) -> None:
    """Budgets of today and of sessions, whatever the period of the page."""
    params = filters.only("service", "model", "agent")
    with card("budgets", "Budgets", "today and by session", queries=("budget_states",), params=params):
        rows = ask("budget_states", **params)
        states = [str(each) for each in rows["state"]]
        table(
            [
                columns.text("Budget", rows["budget"], width="18%"),
                columns.text("For", rows["for_whom"].replace("", None), "everything", tone=["muted"] * len(rows)),
                columns.text("Period", _periods(rows), width="16%", tone=["muted"] * len(rows)),
                Column("State", states, "status", "64px", tone=[_TONES.get(each, "") for each in states]),
                columns.money(
                    "Spent",
                    rows["spent_usd"],
                    rows["unpriced_call_count"],
                    "148px",
                    share=columns.numbers(rows["spent_share"]),
                ),
                columns.money("Soft", rows["soft_usd"], width="84px"),
                columns.money("Hard", rows["hard_usd"], width="84px"),
                columns.money("Left", rows["left_usd"], width="84px"),
            ],
            key="budgets",
            label="Budgets, the most spent first",
            height=_ROWS_PX,
            empty="No budget: budgets.toml in the data folder sets some (docs/money.md).",
        )
