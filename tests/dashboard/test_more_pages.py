"""Cost, Models, Agents, Tools, Sessions, Health, SQL and the views of a trace, without a browser: what they tell."""

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from spandeck_dashboard import formats
from tests.support.web import JSON

from .conftest import OpenPage, part_data, texts
from .stack import Stack, attribute, now_ns, plain_span
from .test_pages import done

pytestmark = pytest.mark.integration

PAGES = ("cost", "models", "agents", "tools", "guard", "sessions", "alerts", "objectives", "traces")


def column(table: dict[str, Any], label: str) -> list[str]:
    return next(each["text"] for each in table["columns"] if each["label"] == label)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_done_and_shows_the_sql_of_its_numbers(filled: Stack, open_page: OpenPage, name: str) -> None:
    page = open_page(filled, name, range="24h")
    assert done(page) == [name]
    shown = [block.value for block in page.code]
    assert shown
    assert not any("$since" in text for text in shown)
    assert "refused" not in texts(page)


def test_every_page_tells_the_first_visitor_how_to_begin(empty: Stack, open_page: OpenPage) -> None:
    for name in PAGES:
        page = open_page(empty, name)
        assert done(page) == [name]
        assert f"http://127.0.0.1:{empty.settings.http_port}/v1/traces" in texts(page)


def test_cost_equals_plain_arithmetic_and_lists_what_has_no_price(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "cost", range="7d", by="Agent")
    calls = filled.rows("select agent_name, cost_usd, input_tokens, output_tokens, kind from llm_calls")
    cards = {card["name"]: card["value"] for card in part_data(page, "cost-kpis")["cards"]}
    unpriced = sum(row[1] is None and (row[2] is not None or row[3] is not None) for row in calls)
    assert cards["cost_usd"] == formats.money(sum(row[1] or 0 for row in calls))
    assert cards["unpriced_call_count"] == str(unpriced)
    by_agent: dict[str, float] = defaultdict(float)
    for row in calls:
        by_agent[row[0] or "outside any agent"] += row[1] or 0
    table = part_data(page, "cost-by")
    dearest = column(table, "Agent")[0]
    assert by_agent[dearest] == max(by_agent.values())
    assert column(table, "Cost")[0].removesuffix(" + ?") == formats.money(by_agent[dearest])
    listed = part_data(page, "unpriced")["columns"][1]["sort"]
    assert sum(listed) == unpriced
    drawn = sum(value or 0 for layer in part_data(page, "cost-series")["series"] for value in layer["values"])
    assert drawn == pytest.approx(sum(by_agent.values()), abs=1e-4)


def test_days_of_the_visitors_zone_begin_at_its_midnight(filled: Stack, open_page: OpenPage) -> None:
    board = part_data(open_page(filled, "cost", range="7d"), "cost-series")
    assert {later - earlier for earlier, later in zip(board["moments"], board["moments"][1:], strict=False)} == {
        86_400_000
    }
    assert (board["moments"][0] - 43_200_000) % 86_400_000 == 0


def test_a_model_has_the_same_p95_as_its_view(filled: Stack, open_page: OpenPage) -> None:
    table = part_data(open_page(filled, "models", range="7d"), "call-table")
    views = dict(filled.rows("select model, p95_ms from latency_by_model where model is not null"))
    shown = dict(zip(column(table, "Model"), column(table, "p95"), strict=True))
    known = {name: p95 for name, p95 in shown.items() if name in views and p95 != formats.UNKNOWN}
    assert len(known) >= 5
    assert all(p95 == formats.duration(views[name]) for name, p95 in known.items())


def test_agents_are_drawn_with_every_tool_and_the_calls_between(filled: Stack, open_page: OpenPage) -> None:
    drawn = part_data(open_page(filled, "agents", range="7d"), "agent-map")
    edges = {(edge["source"], edge["target"]): edge for edge in drawn["edges"]}
    agent, tool, calls, failed = filled.rows(
        "select agent_name, tool_name, count(*), count(*) filter (where status = 'error') "
        "from tool_calls where agent_name is not null group by 1, 2 order by 4 desc limit 1"
    )[0]
    edge = edges[f"agent:{agent}", f"tool:{tool}"]
    assert (edge["calls"], edge["errors"]) == (f"{calls}\u00d7", failed)
    assert (
        len([node for node in drawn["nodes"] if node["kind"] == "tool"])
        == filled.rows("select count(distinct tool_name) from tool_calls")[0][0]
    )


def test_a_tool_is_chosen_by_the_address_and_its_errors_are_counted(filled: Stack, open_page: OpenPage) -> None:
    tool, failed = filled.rows(
        "select tool_name, count(*) from tool_calls where status = 'error' group by 1 order by 2 desc limit 1"
    )[0]
    page = open_page(filled, "tools", range="7d", tool=tool)
    assert sum(part_data(page, "tool-errors")["columns"][1]["sort"]) == failed
    series = part_data(page, "tool-series")["series"]
    assert sum(next(layer["values"] for layer in series if layer["name"] == "failed")) == failed


def test_a_session_is_opened_by_the_address_with_its_traces(filled: Stack, open_page: OpenPage) -> None:
    session, traces = filled.rows(
        "select session_id, count(*) from traces where session_id is not null group by 1 order by 2 desc limit 1"
    )[0]
    page = open_page(filled, "sessions", range="7d", session=session)
    assert len(part_data(page, "session-traces")["links"]) == traces
    assert session in texts(page)


def test_health_tells_what_was_received_and_what_the_doctor_says(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "health")
    assert done(page) == ["health"]
    received = filled.rows("select sum(received_count) from ingest_health")[0][0]
    assert sum(part_data(page, "ingest")["columns"][1]["sort"]) == received
    assert len(part_data(page, "findings")["links"]) == filled.rows("select count(*) from doctor_findings")[0][0]


def test_a_free_query_shows_rows_caps_and_time(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "sql", sql="select 1 as one, 'x' as name, null as nothing")
    assert [each["text"] for each in part_data(page, "free-rows")["columns"]] == [["1"], ["x"], ["NULL"]]
    assert "Caps: 100,000 rows, 64 MiB, 10 s." in texts(page)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("drop table traces", "Only SELECT and EXPLAIN may be run here"),
        ("select * from store.spans", "store"),
        ("select nothing_such from traces", "nothing_such"),
        ("select * from range(200000)", "100,000 rows"),
        ("select 1; select 2", "Send one statement, not 2."),
    ],
)
def test_a_refused_query_is_a_sentence(filled: Stack, open_page: OpenPage, sql: str, sentence: str) -> None:
    page = open_page(filled, "sql", sql=sql)
    assert done(page) == ["sql"]
    assert "This query was refused." in texts(page)
    assert sentence in texts(page)


def test_every_question_to_start_from_is_answered(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, "sql")
    for question in page.selectbox(key="free-example").options:
        page.selectbox(key="free-example").set_value(question).run(timeout=60)
        assert not page.exception
        assert "refused" not in texts(page), question
        assert part_data(page, "free-rows")["columns"]


def a_failing_trace(stack: Stack) -> str:
    return str(
        stack.rows("select trace_id from traces where failed_tool_call_count > 0 order by span_count desc limit 1")[0][
            0
        ]
    )


def test_the_topology_of_a_trace_adds_up_to_it(filled: Stack, open_page: OpenPage) -> None:
    trace_id = a_failing_trace(filled)
    drawn = part_data(open_page(filled, "trace", trace=trace_id, view="Topology"), f"topology-{trace_id}")
    tools, failed = filled.rows(
        "select tool_call_count, failed_tool_call_count from traces where trace_id = ?", trace_id
    )[0]
    into_tools = [edge for edge in drawn["edges"] if edge["target"].startswith("tool:")]
    assert sum(int(edge["calls"][:-1]) for edge in into_tools) == tools
    assert sum(edge["errors"] for edge in into_tools) == failed
    assert sum(node["share"] or 0 for node in drawn["nodes"]) == pytest.approx(1)


def test_a_conversation_says_each_message_once(empty: Stack, open_page: OpenPage) -> None:
    first = [{"role": "user", "content": "Where is my parcel?"}]
    second = [*first, {"role": "assistant", "content": "In the van."}, {"role": "user", "content": "Which van?"}]
    spans = [
        chat("0b" * 8, first, "In the van.", ago_s=9),
        chat("0c" * 8, second, "The blue one.", ago_s=5),
    ]
    empty.send(spans)
    turns = part_data(open_page(empty, "trace", trace="0a" * 16, view="Conversation"), f"talk-{'0a' * 16}")["turns"]
    assert [(turn["role"], turn["text"]) for turn in turns] == [
        ("user", "Where is my parcel?"),
        ("assistant", "In the van."),
        ("user", "Which van?"),
        ("assistant", "The blue one."),
    ]


def chat(span: str, asked: list[dict[str, str]], answer: str, *, ago_s: float) -> dict[str, Any]:
    known = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": answer}]),
    }
    return plain_span("0a" * 16, span, ago_s=ago_s, attributes=[attribute(*each) for each in known.items()])


def test_attributes_and_sql_of_a_trace(filled: Stack, open_page: OpenPage) -> None:
    trace_id = a_failing_trace(filled)
    table = part_data(open_page(filled, "trace", trace=trace_id, view="Attributes"), "attributes")
    assert "service.name" in table["columns"][0]["text"]
    page = open_page(filled, "trace", trace=trace_id, view="SQL")
    shown = [block.value for block in page.code if "-- grain" in block.value]
    assert len(shown) >= 7
    for text in shown:
        assert filled.rows(text) is not None


def test_the_cost_of_a_span_has_its_why(filled: Stack, open_page: OpenPage) -> None:
    trace_id, span_id, pricing = filled.rows(
        "select trace_id, span_id, pricing from usage_reasons where cost_usd is not null and counted limit 1"
    )[0]
    page = open_page(filled, "trace", trace=trace_id, span=span_id)
    page.segmented_control(key="span-tab").set_value("Cost").run(timeout=60)
    assert pricing in [fact["note"] for fact in part_data(page, "span-cost")["facts"]]
    assert pricing in column(part_data(page, "trace-cost-rows"), "Why")
    calculations = filled.rows(
        "select calculation from cost_reasons where trace_id = ? and span_id = ?", trace_id, span_id
    )
    assert len(calculations) > 0
    assert {row[0] for row in calculations} <= {fact["note"] for fact in part_data(page, "span-cost")["facts"]}
    total = filled.rows("select cost_usd from traces where trace_id = ?", trace_id)[0][0]
    products = next(each for each in part_data(page, "trace-cost-parts")["columns"] if each["label"] == "Product")
    assert sum(products["sort"]) == pytest.approx(total)


def test_work_that_still_runs_stands_in_the_waterfall(empty: Stack, open_page: OpenPage) -> None:
    announced = {
        "timeUnixNano": str(now_ns(8)),
        "eventName": "spandeck.span.open",
        "traceId": "0a" * 16,
        "spanId": "0b" * 8,
        "attributes": [
            attribute("spandeck.span.name", "invoke_agent desk"),
            attribute("gen_ai.operation.name", "invoke_agent"),
        ],
    }
    body = {"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"scope": {}, "logRecords": [announced]}]}]}
    assert empty.post(json.dumps(body).encode(), JSON, path="/v1/logs").status == 200
    empty.send([plain_span("0a" * 16, "0c" * 8, parentSpanId="0b" * 8, ago_s=5)])
    spans = part_data(open_page(empty, "trace", trace="0a" * 16), f"waterfall-{'0a' * 16}")["spans"]
    assert dict(zip(spans["name"], spans["durationText"], strict=True))["invoke_agent desk"] == "running"
    assert spans["open"] == [True, False]
    assert not any(spans["orphan"])


def test_a_long_trace_comes_in_pages_and_opens_on_the_page_of_its_span(empty: Stack, open_page: OpenPage) -> None:
    root, many = "0b" * 8, 5_200
    spans = [plain_span("0a" * 16, root, ago_s=60, name="root")]
    spans += [
        plain_span("0a" * 16, f"{index:016x}", parentSpanId=root, ago_s=50 - index / 200) for index in range(1, many)
    ]
    empty.send(spans)
    page = open_page(empty, "trace", trace="0a" * 16)
    drawn = part_data(page, f"waterfall-{'0a' * 16}")["spans"]
    assert len(drawn["id"]) == 5_000
    assert f"{formats.whole(many)} spans in pages of 5,000" in texts(page)
    last = part_data(open_page(empty, "trace", trace="0a" * 16, span=f"{many - 1:016x}"), f"waterfall-{'0a' * 16}")
    assert last["selected"] == f"{many - 1:016x}"
    assert len(last["spans"]["id"]) == many - 5_000 + 1
    assert last["spans"]["parent"].count(None) == 1
    assert not any(last["spans"]["orphan"])


def test_ten_numbers_of_the_pages_equal_their_views(filled: Stack, open_page: OpenPage) -> None:
    """A page shows a view's column, whatever range it stands in: here the one that holds everything."""
    kpis = {card["name"]: card for card in part_data(open_page(filled, range="7d"), "kpis")["cards"]}
    tools = part_data(open_page(filled, "tools", range="7d"), "tools")
    agents = part_data(open_page(filled, "agents", range="7d"), "call-table")
    models = part_data(open_page(filled, "models", range="7d"), "call-table")
    tool, agent, model = (each["columns"][0]["text"][0] for each in (tools, agents, models))

    def one(sql: str, *params: object) -> Any:
        return filled.rows(sql, *params)[0][0]

    assert kpis["run_count"]["value"] == formats.count(one("select count(*) from traces"))
    assert kpis["cost_usd"]["value"] == formats.money(one("select sum(cost_usd) from cost_by_day"))
    assert kpis["token_count"]["value"] == formats.count(
        one("select sum(input_tokens) + sum(output_tokens) from cost_by_model")
    )
    assert column(tools, "Calls")[0] == formats.count(
        one("select call_count from tool_outcomes where tool_name = ?", tool)
    )
    # Beyond two days percentiles come from roll-ups, within 1 %.
    p95 = next(each["sort"][0] for each in tools["columns"] if each["label"] == "p95")
    assert p95 == pytest.approx(one("select p95_ms from latency_by_tool where tool_name = ?", tool), rel=0.011)
    assert column(agents, "p95")[0] == formats.duration(
        one("select p95_ms from latency_by_agent where agent_name = ?", agent)
    )
    assert column(agents, "Cost")[0] == formats.money(
        one("select cost_usd from cost_by_agent where agent_name = ?", agent)
    )
    assert column(models, "Cost")[0] == formats.money(one("select cost_usd from cost_by_model where model = ?", model))
    assert column(models, "p50")[0] == formats.duration(
        one("select p50_ms from latency_by_model where model = ?", model)
    )
    assert re.sub(r" \+ \?$", "", column(models, "Calls")[0]) == formats.count(
        one("select call_count from cost_by_model where model = ?", model)
    )
