"""Every page, run against real processes without a browser."""

import math
from typing import Any

import pytest

from .conftest import OpenPage, part_data, texts
from .stack import Stack, attribute, plain_span

pytestmark = pytest.mark.integration


def done(page: Any) -> list[str]:
    marks = [element.proto.body for element in page.get("html") if "spandeck-done" in element.proto.body]
    return [mark.partition("done · ")[2].partition("<")[0] for mark in marks]


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (at - low)


def test_overview_shows_the_same_figures_as_plain_arithmetic(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, range="7d")
    assert done(page) == ["overview"]
    cards = {card["name"]: card for card in part_data(page, "kpis")["cards"]}
    calls = filled.rows("select kind, duration_ms, cost_usd, time_to_first_token_ms from llm_calls")
    p95_s = quantile([row[1] for row in calls if row[0] == "llm"], 0.95) / 1000
    first_s = quantile([row[3] for row in calls if row[0] == "llm" and row[3] is not None], 0.95) / 1000
    # Beyond two days percentiles come from roll-ups, within 1 %.
    for name, expected_s in (("llm_p95_ms", p95_s), ("first_token_p95_ms", first_s)):
        assert float(cards[name]["value"].removesuffix(" s")) == pytest.approx(expected_s, rel=0.011)
    assert cards["cost_usd"]["value"] == f"${sum(row[2] or 0 for row in calls):.2f}"
    assert "without a price" in cards["cost_usd"]["note"]


def test_overview_has_its_cards_charts_and_their_sql(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, range="24h")
    headings = texts(page)
    for title in ("LLM latency", "Cost by model", "Tools", "Errors", "Agents", "Services", "Operations"):
        assert f"#### {title}" in headings
    for chart in ("latency", "cost", "errors"):
        assert part_data(page, chart)["moments"]
    shown = [block.value for block in page.code]
    assert any("quantile_cont" in text for text in shown)
    assert not any("$since" in text for text in shown)
    assert part_data(page, "tools")["columns"][0]["text"]


def test_a_filter_narrows_every_figure(filled: Stack, open_page: OpenPage) -> None:
    model, calls = filled.rows("select model, count(*) from llm_calls where model is not null group by 1 order by 2")[
        -1
    ]
    page = open_page(filled, range="7d", model=model)
    assert page.selectbox(key="model").value == model
    assert part_data(page, "models")["columns"][0]["text"] == [model]
    assert part_data(page, "models")["columns"][3]["sort"] == [float(calls)]


def test_an_unpriced_model_is_listed_with_that_word(filled: Stack, open_page: OpenPage) -> None:
    unpriced = filled.rows(
        "select count(*) from llm_calls where cost_usd is null and coalesce(input_tokens, output_tokens) is not null"
    )[0][0]
    assert unpriced > 0
    models = part_data(open_page(filled, range="7d"), "models")
    assert any("no price" in text or "+ ?" in text for text in models["columns"][1]["text"])


def test_traces_lists_the_newest_first_and_links_each(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "traces", range="7d")
    assert done(page) == ["traces"]
    links = part_data(page, "traces")["links"]
    newest = filled.rows("select trace_id from traces order by started_at desc limit 1")[0][0]
    assert links[0] == f"/trace?trace={newest}"
    assert len(links) == min(500, filled.rows("select count(*) from traces")[0][0])


def test_traces_can_be_searched_and_narrowed_to_errors(filled: Stack, open_page: OpenPage) -> None:
    trace_id = filled.rows("select trace_id from traces limit 1")[0][0]
    found = part_data(open_page(filled, "traces", range="7d", q=trace_id), "traces")
    assert found["links"] == [f"/trace?trace={trace_id}"]
    failed = part_data(open_page(filled, "traces", range="7d", only="Errors"), "traces")
    assert set(failed["columns"][1]["text"]) == {"error"}


def test_a_trace_opens_on_its_failure_and_tells_it_as_text(filled: Stack, open_page: OpenPage) -> None:
    trace_id, span_id, kind = filled.rows(
        "select trace_id, span_id, error_type from tool_calls where status = 'error' order by started_at limit 1"
    )[0]
    page = open_page(filled, "trace", trace=trace_id, span=span_id)
    assert done(page) == ["trace"]
    assert kind in texts(page)
    waterfall = part_data(page, f"waterfall-{trace_id}")
    assert waterfall["selected"] == span_id
    assert len(waterfall["spans"]["id"]) == filled.rows("select count(*) from spans where trace_id = ?", trace_id)[0][0]


def test_the_sums_of_a_trace_are_those_of_its_root(filled: Stack, open_page: OpenPage) -> None:
    trace_id, tokens = filled.rows(
        "select trace_id, input_tokens + output_tokens from traces where root_name is not null "
        "and input_tokens > 0 and unpriced_call_count = 0 order by span_count desc limit 1"
    )[0]
    page = open_page(filled, "trace", trace=trace_id)
    spans = part_data(page, f"waterfall-{trace_id}")["spans"]
    root = spans["parent"].index(None)
    summary = {fact["label"]: fact["value"] for fact in part_data(page, "summary")["facts"]}
    assert spans["tokens"][root] == summary["Tokens"]
    assert spans["cost"][root] == summary["Cost"]
    assert tokens > 0


def test_an_unknown_trace_is_a_sentence(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "trace", trace="ab" * 16)
    assert "No trace with this id is stored" in texts(page)
    assert done(page) == ["trace"]


def test_alerts_lists_each_alert_with_its_span(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "alerts", range="7d")
    assert done(page) == ["alerts"]
    assert len(part_data(page, "alerts")["links"]) == min(300, filled.rows("select count(*) from alerts")[0][0])
    only = part_data(open_page(filled, "alerts", range="7d", severity="warning"), "alerts")
    assert set(only["columns"][1]["text"]) == {"warning"}


def test_the_first_page_tells_the_real_endpoint_and_counts_refusals(empty: Stack, open_page: OpenPage) -> None:
    page = open_page(empty)
    shown = texts(page)
    assert f"http://127.0.0.1:{empty.settings.http_port}/v1/traces" in shown
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{empty.settings.http_port}" in shown
    assert "about 5 s" in shown
    counts = {fact["label"]: fact["value"] for fact in part_data(page, "arrival-counts")["facts"]}
    assert counts == {"Received": "0", "Stored": "0", "Refused": "0"}
    assert done(page) == ["overview"]


def test_without_genai_spans_it_says_so_and_services_still_show(empty: Stack, open_page: OpenPage) -> None:
    empty.send([plain_span("0a" * 16, "0b" * 8)])
    page = open_page(empty)
    assert "No span of a model, agent or tool in this period" in texts(page)
    assert part_data(page, "services")["columns"][0]["text"] == ["shop"]
    assert part_data(page, "operations")["columns"][0]["text"] == ["GET /cart"]


def test_an_empty_period_offers_the_jump_to_the_last_span(empty: Stack, open_page: OpenPage) -> None:
    empty.send([plain_span("0a" * 16, "0b" * 8, ago_s=7200)])
    page = open_page(empty, range="15m")
    assert "No spans in the last 15m; last one 2 h ago." in texts(page)
    page.button(key="jump").click().run(timeout=60)
    assert page.segmented_control(key="range").value == "6h"
    assert part_data(page, "services")["columns"][0]["text"] == ["shop"]


def test_a_period_may_end_in_the_past_and_be_left_again(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, range="1h", until="2020-01-01T12:00:00Z")
    assert "Period ends Jan 01 12:00:00 UTC" in texts(page)
    assert "No spans in the 1h before Jan 01 12:00:00 UTC; last one after that." in texts(page)
    page.button(key="back-to-now").click().run(timeout=60)
    assert "Period ends" not in texts(page)


def test_spans_without_their_parent_are_told(empty: Stack, open_page: OpenPage) -> None:
    empty.send([plain_span("0a" * 16, "0b" * 8, parentSpanId="0c" * 8)])
    page = open_page(empty, "trace", trace="0a" * 16)
    assert "1 span names a parent that was not received" in texts(page)


def test_while_the_collector_is_away_the_page_says_so_and_keeps_what_it_knew(empty: Stack, open_page: OpenPage) -> None:
    empty.send([plain_span("0a" * 16, "0b" * 8, attributes=[attribute("http.route", "/cart")])])
    page = open_page(empty)
    empty.stop("store")
    page.segmented_control(key="range").set_value("6h").run(timeout=60)
    assert not page.exception
    assert "Collector not reachable since" in texts(page)
    assert done(page) == ["overview"]
