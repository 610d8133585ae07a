"""Guard: what guardrails stopped, what was redacted, what caches answered, and the span behind each verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import charts, formats, frame, theme
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.board import Series, board
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import Parameter, ask, ask_ahead
from spandeck_dashboard.views import columns
from spandeck_dashboard.views.figures import Figure, draw_figures

_VERDICTS = ["block", "review", "redacted", "allow"]
_TONES = {"block": "error", "review": "warning", "redacted": "info"}
_CHART_PX = 196
_ROWS_PX = 216

_Value = Callable[[str], Any]


def _hits(value: _Value) -> str:
    looked = value("lookup_count")
    return f"of {formats.count(looked)} lookups" if formats.number(looked) else ""


def _saved(value: _Value) -> str:
    saved = value("saved_usd")
    return f"{_hits(value)}, {formats.money(saved)} saved" if formats.number(saved) else _hits(value)


_FIGURES = (
    Figure("check_count", "Checks", formats.count, better="neither", shape="bars"),
    Figure("blocked_count", "Blocked", formats.count, shape="bars"),
    Figure("review_count", "To review", formats.count, shape="bars"),
    Figure("redaction_count", "Redactions", formats.count, better="neither", shape="bars"),
    Figure("check_p95_ms", "A check takes, p95", formats.duration),
    Figure("hit_ratio", "Answered by a cache", formats.ratio, _saved, better="more"),
)


@frame.page_of("guard")
@frame.needs_spans
def page(filters: Filters) -> None:
    """Figures, verdicts over time beside the guardrails, the feed of verdicts, and the caches."""
    calls = filters.calls()
    rows = ask("guardrails", **calls)
    with st.container(horizontal=True, key="guard-filters", vertical_alignment="center"):
        guardrail = _draw_choice([str(each) for each in rows["guardrail"].dropna()])
        verdict = st.pills("Verdict", _VERDICTS, key="verdict", label_visibility="collapsed", bind="query-params")
    params = calls | {"guardrail": guardrail}
    ask_ahead(
        ("guard_kpis", calls | {"before": filters.before}),
        ("guard_kpi_series", calls),
        ("guard_series", params),
        ("guard_feed", params | {"verdict": verdict}),
        ("cache_groups", calls),
    )
    draw_figures(_FIGURES, filters, "guard_kpis", "guard_kpi_series", key="guard-kpis", **calls)
    left, right = st.columns([1, 1.6], gap="small")
    with left:
        _draw_series(filters, params)
    with right:
        _draw_guardrails(calls, rows)
    left, right = st.columns([1.45, 1], gap="small")
    with left:
        _draw_feed(params | {"verdict": verdict})
    with right:
        _draw_caches(calls)


def _draw_choice(names: list[str]) -> str | None:
    asked = st.session_state.get("guardrail") or st.query_params.get("guardrail")
    if asked and asked not in names:
        names = [asked, *names]
    return st.selectbox(
        "Guardrail",
        names,
        index=None,
        placeholder="All guardrails",
        key="guardrail",
        label_visibility="collapsed",
        bind="query-params",
        width=260,
    )


def _draw_series(filters: Filters, params: dict[str, Parameter]) -> None:
    with card("guard-series", "Verdicts", "over time", queries=("guard_series",), params=params):
        rows = ask("guard_series", **params)
        colours = theme.palette()
        board(
            charts.moments(rows),
            [
                Series("block", columns.numbers(rows["blocked_count"]), colours.bad, "bars"),
                Series("review", columns.numbers(rows["review_count"]), colours.tool, "bars", hatched=True),
                Series("redacted", columns.numbers(rows["redacted_count"]), colours.agent, "bars"),
                Series("nothing found", columns.numbers(rows["passed_count"]), colours.other, "bars", hatched=True),
            ],
            key="guard-series",
            label="Verdicts of guardrails over time",
            filters=filters,
            unit="count",
            height=_CHART_PX,
            legend=True,
        )


def _draw_guardrails(params: dict[str, Parameter], rows: pd.DataFrame) -> None:
    subtitle = "a row opens the latest finding"
    with card("guardrails", "Guardrails", subtitle, queries=("guardrails",), params=params):
        opened = table(
            [
                columns.text("Guardrail", rows["guardrail"], "unnamed guardrail"),
                columns.count("Checks", rows["check_count"], "62px"),
                columns.ratio(
                    "With finding", rows["finding_ratio"], "124px", share=columns.numbers(rows["share_of_worst"])
                ),
                columns.count("Blocked", rows["blocked_count"], "66px"),
                columns.count("Review", rows["review_count"], "62px"),
                columns.count("Redacted", rows["redaction_count"], "74px"),
                columns.count("Errors", rows["error_count"], "58px"),
                columns.duration("p95", rows["p95_ms"], "64px"),
                columns.ago("Last", rows["last_age_s"]),
            ],
            key="guardrails",
            label="Guardrails, most often blocking first",
            links=columns.links(rows, "last_trace_id", "last_span_id"),
            height=_ROWS_PX,
            grows=False,
            empty="No guardrail told of a check in this period.",
        )
        columns.go(rows, opened, "last_trace_id", "last_span_id")


def _draw_feed(params: dict[str, Parameter]) -> None:
    rows = ask("guard_feed", **params)
    with card("guard-feed", "Checks", columns.how_many(rows), queries=("guard_feed",), params=params):
        opened = table(
            _feed_columns(rows),
            key="guard-feed",
            label="Checks of guardrails, latest first",
            links=columns.links(rows, "trace_id", "span_id"),
            height="max(320px, calc(100vh - 560px))",
            grows=False,
            empty="No such check in this period.",
        )
        columns.go(rows, opened, "trace_id", "span_id")


def _feed_columns(rows: pd.DataFrame) -> list[Column]:
    verdicts = columns.texts(rows["verdict"], "not told")
    found = [
        formats.sentence_list((formats.first_line(rules), "" if formats.is_unknown(error) else f"failed: {error}"))
        for rules, error in zip(rows["rules"], rows["error_type"], strict=True)
    ]
    return [
        Column("Verdict", verdicts, "badge", "110px", tone=[_TONES.get(each, "") for each in verdicts]),
        columns.text("Guardrail", rows["guardrail"], "unnamed guardrail", note=columns.texts(rows["source"], "")),
        Column("Rules", found, width="17%"),
        _score(rows),
        columns.text("Agent", rows["agent_name"], width="12%", tone=["muted"] * len(rows)),
        columns.duration("Took", rows["duration_ms"]),
        columns.ago("When", rows["age_s"]),
    ]


def _score(rows: pd.DataFrame) -> Column:
    return Column("Score", columns.scores(rows["score"]), "number", "60px", sort=columns.numbers(rows["score"]))


def _draw_caches(params: dict[str, Parameter]) -> None:
    subtitle = "a row opens the latest lookup"
    with card("caches", "Caches", subtitle, queries=("cache_groups",), params=params):
        rows = ask("cache_groups", **params)
        opened = table(
            [
                columns.text("Asked by", rows["name"], note=columns.texts(rows["service"], "unnamed service")),
                columns.count("Lookups", rows["lookup_count"], "66px"),
                columns.ratio("Hits", rows["hit_ratio"], "62px"),
                columns.count("Refused", rows["rejected_count"], "66px", hint=columns.texts(rows["reject_rule"], "")),
                columns.count("Stale", rows["stale_count"], "48px"),
                columns.money("Saved", rows["saved_usd"], rows["unpriced_hit_count"], "76px"),
            ],
            key="caches",
            label="Caches by what asked them",
            links=columns.links(rows, "last_trace_id", "last_span_id"),
            height="max(320px, calc(100vh - 560px))",
            grows=False,
            empty="No cache was asked in this period.",
        )
        columns.go(rows, opened, "last_trace_id", "last_span_id")
