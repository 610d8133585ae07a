"""The six key figures of the Overview."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spandeck_dashboard import formats
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.views.figures import Figure, draw_figures

_Value = Callable[[str], Any]


def draw_kpis(filters: Filters) -> None:
    """Draw the strip, its values against the period before, and the SQL behind it."""
    draw_figures(_FIGURES, filters, "kpis", "kpi_series", key="kpis", **filters.calls())


def unpriced(number: Any) -> str:
    """How many calls a sum of money lacks."""
    known = formats.number(number)
    if not known:
        return ""
    return f"plus {formats.count(known)} {'call' if known == 1 else 'calls'} without a price"


def _failed_runs(value: _Value) -> str:
    number = value("failed_run_count")
    return f"{formats.count(number)} failed" if formats.number(number) else ""


def _failed_calls(value: _Value) -> str:
    known = formats.number(value("error_count"))
    if not known:
        return "of model and tool calls"
    return f"{formats.count(known)} failed {'call' if known == 1 else 'calls'}"


def _cached(value: _Value) -> str:
    number = value("cached_token_count")
    return f"{formats.count(number)} read from a cache" if formats.number(number) else ""


_FIGURES = (
    Figure("run_count", "Runs", formats.count, _failed_runs, better="neither", shape="bars"),
    Figure("llm_p95_ms", "LLM latency p95", formats.duration),
    Figure("first_token_p95_ms", "Time to first token p95", formats.duration),
    Figure("cost_usd", "Cost", formats.money, lambda value: unpriced(value("unpriced_call_count"))),
    Figure("error_ratio", "Error ratio", formats.ratio, _failed_calls),
    Figure("token_count", "Tokens", formats.count, _cached, better="neither", shape="bars"),
)
