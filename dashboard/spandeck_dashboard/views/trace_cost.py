"""Why a trace costs what it costs: each call with its tokens, its price, or the reason for having none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.components.facts import Fact, fact_list
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.queries import ask, ask_one
from spandeck_dashboard.views import columns


def draw_trace_cost(trace_id: str) -> None:
    """A table of the calls of a trace, dearest first, those that do not count at the end."""
    rows = ask("trace_cost", trace=trace_id)
    why = [
        pricing if counted else counting
        for counted, pricing, counting in zip(rows["counted"], rows["pricing"], rows["counting"], strict=True)
    ]
    reasons = [formats.plain(each) for each in why]
    table(
        [
            Column("Call", [formats.first_line(each) for each in rows["name"]], width="27%"),
            _numbers("Tokens in", rows["input_tokens"], formats.count),
            _numbers("Out", rows["output_tokens"], formats.count),
            _numbers("Cost", rows["cost_usd"], formats.money),
            Column("Why", reasons, tone=["muted"] * len(rows), hint=reasons),
        ],
        key="trace-cost-rows",
        label="What the calls of this trace cost, and why",
        height=320,
        empty="No call with usage in this trace.",
    )
    _draw_parts(trace_id)


def _draw_parts(trace_id: str) -> None:
    """Below: tokens of a kind, their price, and the product."""
    rows = ask("trace_cost_parts", trace=trace_id)
    if rows.empty:
        return
    table(
        [
            Column("Tokens of a kind", [_words(each) for each in rows["bucket"]], width="14%"),
            columns.count("Calls", rows["call_count"]),
            columns.count("How many", rows["unit_count"], "84px"),
            columns.text("Price", _prices(rows), width="15%"),
            columns.money("Product", rows["amount_usd"], width="128px", share=columns.numbers(rows["amount_share"])),
            columns.text(
                "Price list entry",
                rows["price_id"],
                tone=["muted"] * len(rows),
                hint=columns.texts(rows["source"]),
            ),
        ],
        key="trace-cost-parts",
        label="Tokens of this trace times their prices",
        height=240,
    )


def _prices(rows: pd.DataFrame) -> list[str]:
    return [
        f"${price:g} a request" if bucket == "request" else f"${price:g} per {formats.count(per)}"
        for bucket, price, per in zip(rows["bucket"], rows["price_usd"], rows["per_count"], strict=True)
    ]


def _words(bucket: object) -> str:
    return str(bucket).replace("_", " ")


def draw_span_cost(trace_id: str, span_id: str) -> None:
    """The same for one span, every reason as a sentence."""
    found = ask_one("span_cost", trace=trace_id, span=span_id)
    if not found:
        st.text("This span is no call and carries no usage: it costs nothing of its own.")
        return
    facts = [
        Fact("Counts", "yes" if found["counted"] else "no", formats.plain(found["counting"])),
        Fact("Cost", formats.money(found["cost_usd"]), formats.plain(found["pricing"])),
        Fact("Tokens in", formats.whole(found["input_tokens"]), formats.plain(found["tokens"])),
        Fact("of this span alone", formats.whole(found["own_input_tokens"]), _source(found)),
        Fact("Tokens out", formats.whole(found["output_tokens"])),
    ]
    if found["duplicate_of"]:
        facts.append(Fact("Counted instead", str(found["duplicate_of"]), f"in trace {found['duplicate_trace_id']}"))
    parts = ask("span_cost_parts", trace=trace_id, span=span_id)
    facts += [
        Fact(_words(bucket).capitalize(), formats.money(amount), str(calculation))
        for bucket, amount, calculation in zip(parts["bucket"], parts["amount_usd"], parts["calculation"], strict=True)
    ]
    fact_list(facts, key="span-cost")


def _source(found: dict[str, object]) -> str:
    if not found["usage_source"]:
        return ""
    return f"told by {found['usage_source']}" + (f" of {found['usage_scope']}" if found["usage_scope"] else "")


def _numbers(title: str, values: pd.Series, text: Callable[[Any], str]) -> Column:
    shown = [text(each) for each in values]
    return Column(title, shown, "number", "76px", sort=[formats.number(each) for each in values])
