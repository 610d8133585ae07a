"""What counts: usage once, whatever repeats it, in whatever order and however often it comes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import otlp
from .generated import arrivals
from .sandbox import Sandbox
from .sums import approx, check_sums

pytestmark = pytest.mark.integration


def agent(number: int, parent: int = 0, usage: int | None = None, **words: Any) -> dict[str, Any]:
    return _span(number, parent, "invoke_agent", usage, words)


def llm(number: int, parent: int = 0, usage: int | None = None, **words: Any) -> dict[str, Any]:
    return _span(number, parent, "chat", usage, words)


def embedding(number: int, parent: int = 0, usage: int | None = None, **words: Any) -> dict[str, Any]:
    return _span(number, parent, "embeddings", usage, words)


def tool(number: int, parent: int = 0, usage: int | None = None, **words: Any) -> dict[str, Any]:
    return _span(number, parent, "execute_tool", usage, words)


def other(number: int, parent: int = 0, **words: Any) -> dict[str, Any]:
    return {"id": number, "parent": parent, "name": f"n{number}"} | words


def _span(number: int, parent: int, operation: str, usage: int | None, words: dict[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {"gen_ai.operation.name": operation}
    if usage is not None:
        attributes |= {
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "acme-1",
            "gen_ai.usage.input_tokens": usage,
            "gen_ai.usage.output_tokens": 1,
        }
    return other(number, parent) | {"attributes": attributes} | words


def counted(sandbox: Sandbox) -> dict[int, str]:
    """Kind of each row of `llm_calls` by span, after checking that all sums agree."""
    check_sums(sandbox)
    return {int(row["span_id"], 16): row["kind"] for row in sandbox.rows("select * from llm_calls")}


EMBEDDED = {"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 5}
CASES: list[tuple[str, list[list[dict[str, Any]]], dict[int, str], int | None]] = [
    ("one call", [[llm(1, 0, 10)]], {1: "llm"}, 10),
    ("nested calls with usage: the deepest", [[llm(1, 0, 10), llm(2, 1, 10), llm(3, 2, 10)]], {3: "llm"}, 10),
    ("the deepest without usage: the deepest with", [[llm(1, 0, 10), llm(2, 1, 10), llm(3, 2)]], {2: "llm"}, 10),
    ("nested calls, none with usage: the deepest", [[llm(1), llm(2, 1)]], {2: "llm"}, None),
    ("usage above only, two calls below", [[llm(1, 0, 10), llm(2, 1), llm(3, 1)]], {1: "llm"}, 10),
    ("a chain between nested calls", [[llm(1, 0, 10), other(2, 1), llm(3, 2, 10)]], {3: "llm"}, 10),
    ("an agent repeats its calls", [[agent(1, 0, 30), llm(2, 1, 10), llm(3, 1, 20)]], {2: "llm", 3: "llm"}, 30),
    ("an agent alone has usage", [[agent(1, 0, 30), llm(2, 1), tool(3, 1)]], {1: "agent", 2: "llm"}, 30),
    ("nested agents", [[agent(1, 0, 30), agent(2, 1, 20), llm(3, 2, 20)]], {3: "llm"}, 20),
    ("nested agents without calls: the inner", [[agent(1, 0, 30), agent(2, 1, 30), other(3, 2)]], {2: "agent"}, 30),
    ("two sub-agents", [[agent(1, 0, 9), agent(2, 1, 4), agent(3, 1, 5)]], {2: "agent", 3: "agent"}, 9),
    ("an embedding in a call is another kind", [[llm(1, 0, 10), embedding(2, 1, 5)]], {1: "llm", 2: "embedding"}, 15),
    ("an agent above an embedding", [[agent(1, 0, 5), embedding(2, 1, 5)]], {2: "embedding"}, 5),
    (
        "an agent's answer is not told by the embedding below",
        [[agent(1, 0, 30), embedding(2, 1) | {"attributes": EMBEDDED}]],
        {1: "agent", 2: "embedding"},
        35,
    ),
    ("a tool with usage of its own", [[tool(1, 0, 10)]], {1: "agent"}, 10),
    ("a tool that repeats its call", [[tool(1, 0, 10), llm(2, 1, 10)]], {2: "llm"}, 10),
    ("orphans", [[llm(1, 99, 10), agent(2, 98, 7)]], {1: "llm", 2: "agent"}, 17),
    ("a late parent", [[llm(2, 1, 10)], [agent(1, 0, 10)]], {2: "llm"}, 10),
    ("a late link between parent and call", [[llm(3, 2, 10), agent(1, 0, 10)], [other(2, 1)]], {3: "llm"}, 10),
    ("a late child", [[agent(1, 0, 10)], [llm(2, 1, 10)]], {2: "llm"}, 10),
    ("its own parent", [[llm(1, 1, 10), llm(2, 1, 10)]], {2: "llm"}, 10),
    ("parents in a circle", [[llm(1, 2, 10), other(2, 1)]], {1: "llm"}, 10),
    ("sent twice in a request", [[llm(1, 0, 10), llm(1, 0, 10)]], {1: "llm"}, 10),
    ("sent again later", [[llm(1, 0, 10)], [llm(1, 0, 10), llm(2, 0, 5)], [llm(1, 0, 10)]], {1: "llm", 2: "llm"}, 15),
]


@pytest.mark.parametrize(("batches", "rows", "tokens"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_usage_counts_once(
    batches: list[list[dict[str, Any]]], rows: dict[int, str], tokens: int | None, sandbox: Sandbox
) -> None:
    for spans in batches:
        sandbox.spans(*spans)
    assert counted(sandbox) == rows
    assert sandbox.row("select input_tokens from traces")["input_tokens"] == tokens


def test_a_span_is_one_row_of_spans_even_if_it_is_tool_call_and_usage(sandbox: Sandbox) -> None:
    sandbox.spans(tool(1, 0, 1000))
    row = sandbox.row("select kind, cost_usd, counted from spans")
    assert row == {"kind": "tool", "cost_usd": pytest.approx(0.003015), "counted": True}
    assert sandbox.row("select count(*) as n from tool_calls") == {"n": 1}
    trace = sandbox.row("select * from traces")
    assert (trace["input_tokens"], trace["tool_call_count"], trace["llm_call_count"]) == (1000, 1, 0)
    assert trace["cost_usd"] == pytest.approx(0.003015)


def test_both_numbers_stay_queryable(sandbox: Sandbox) -> None:
    """What a parent says of its own usage stays in `spans`, beside the flag that it does not count."""
    sandbox.spans(agent(1, 0, 30), llm(2, 1, 30))
    rows = sandbox.rows("select span_id, input_tokens, counted, duplicate_of from spans order by span_id")
    assert [tuple(row.values()) for row in rows] == [
        (otlp.span_id(1), 30, False, otlp.span_id(2)),
        (otlp.span_id(2), 30, True, None),
    ]


def test_calls_belong_to_the_nearest_agent_above_them(sandbox: Sandbox) -> None:
    inner = agent(2, 1) | {"name": "invoke_agent writer"}
    sandbox.spans(agent(1) | {"name": "invoke_agent lead"}, inner, other(3, 2), llm(4, 3, 1), tool(5, 1))
    owners = {row["span_id"]: row["agent_name"] for row in sandbox.rows("select span_id, agent_name from spans")}
    assert owners[otlp.span_id(4)] == "writer"
    assert owners[otlp.span_id(5)] == "lead"
    assert sandbox.row("select agent_names from traces") == {"agent_names": ["lead", "writer"]}


def test_equal_times_do_not_make_the_session_a_matter_of_order(sandbox: Sandbox) -> None:
    spans = [other(n, 0, attributes={"session.id": f"s{n}", "user.id": f"u{n}"}) for n in (1, 2, 3)]
    sandbox.spans(*spans[::-1])
    for words in spans:
        sandbox.spans(words | {"trace": 2})
    rows = sandbox.rows("select session_id, user_id from traces")
    assert rows == [{"session_id": "s1", "user_id": "u1"}] * 2


@pytest.mark.parametrize("depth", [500, 6_000])
def test_a_chain_of_any_depth_is_stored_in_bounded_memory(depth: int, sandbox: Sandbox) -> None:
    """Up to 1,000 deep it counts once; below that every span stands alone."""
    sandbox.spans(*(llm(n, n - 1, 10) for n in range(1, depth + 1)))
    trace = sandbox.row("select span_count, llm_call_count from traces")
    assert trace == {"span_count": depth, "llm_call_count": 1 if depth <= 1000 else depth - 1000 + 1}


Make = Callable[..., dict[str, Any]]
MAKERS: Sequence[Make] = (agent, llm, embedding, tool)


@st.composite
def trees(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Spans of one trace: parents anywhere (also missing, later, in circles), usage or none, equal times likely."""
    size = draw(st.integers(1, 9))
    spans = []
    for number in range(1, size + 1):
        parent = draw(st.integers(0, number - 1) | st.sampled_from([0, 99, number, min(number + 1, size)]))
        usage = draw(st.none() | st.integers(0, 5_000))
        words: dict[str, Any] = {"at_ms": draw(st.integers(0, 3)) * 10, "ms": draw(st.sampled_from([0, 20, 100, -1]))}
        if draw(st.booleans()):
            words["status"] = "ERROR"
        make = draw(st.sampled_from([*MAKERS, other]))
        spans.append(make(number, parent, **words) if make is other else make(number, parent, usage, **words))
        extra = draw(st.dictionaries(st.sampled_from(sorted(EXTRAS)), st.integers(1, 3), max_size=3))
        attributes = dict(spans[-1].get("attributes", {}))
        spans[-1]["attributes"] = attributes | {name: EXTRAS[name](value) for name, value in extra.items()}
    return spans


EXTRAS: dict[str, Callable[[int], Any]] = {
    "session.id": "s{}".format,
    "user.id": "u{}".format,
    "gen_ai.agent.name": "a{}".format,
    "spandeck.architecture": "hybrid{}".format,
    "spandeck.step": int,
    "spandeck.attempt": int,
    "gen_ai.tool.call.arguments": "{}".format,
    "gen_ai.usage.cache_read.input_tokens": int,
    "gen_ai.usage.reasoning.output_tokens": int,
    "gen_ai.response.time_to_first_chunk": lambda n: n / 100,
}


def counted_by_rule(tree: list[dict[str, Any]]) -> dict[int, str]:
    """The counting rule once more, in Python, span by span."""
    kinds = {"chat": "llm", "embeddings": "embedding"}
    named = {span["id"]: kinds.get(span["attributes"].get("gen_ai.operation.name", ""), "agent") for span in tree}
    used = {span["id"]: "gen_ai.usage.input_tokens" in span["attributes"] for span in tree}
    calls = {number for number in named if used[number] or named[number] != "agent"}
    above = {span["id"]: _ancestors(span["id"], {s["id"]: s["parent"] for s in tree}) & calls for span in tree}

    def alike(upper: int, lower: int) -> bool:
        return named[upper] == named[lower]

    def is_covered(upper: int) -> bool:
        below = [lower for lower in calls if upper in above[lower]]
        return any(
            (used[lower] and (alike(upper, lower) or named[upper] == "agent"))
            or (not used[upper] and alike(upper, lower))
            for lower in below
        )

    def is_echo(lower: int) -> bool:
        return not used[lower] and any(
            used[upper] and alike(upper, lower) and not is_covered(upper) for upper in above[lower]
        )

    return {number: named[number] for number in calls if not is_covered(number) and not is_echo(number)}


def _ancestors(number: int, parents: dict[int, int]) -> set[int]:
    """All spans above; none where the way up ends in a circle, because no way leads down there from a root."""
    found: list[int] = []
    while (parent := parents[number]) in parents and parent != number:
        if parent in found:
            return set()
        found.append(parent)
        number = parent
    return set(found)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_neither_order_nor_batches_nor_resends_change_a_number(data: st.DataObject, sandbox: Sandbox) -> None:
    tree = data.draw(trees())
    batches = data.draw(arrivals(len(tree)))
    once, again = sandbox.batch_count * 2 + 1_000, sandbox.batch_count * 2 + 1_001
    sandbox.spans(*(words | {"trace": once} for words in tree))
    for indexes in batches:
        sandbox.spans(*(tree[index] | {"trace": again} for index in indexes))
    for view in ("traces", "llm_calls", "tool_calls", "spans"):
        assert rows_of(sandbox, view, again) == [approx(row) for row in rows_of(sandbox, view, once)]
    calls = sandbox.rows("select span_id, kind from llm_calls where trace_id = ?", [otlp.trace_id(again)])
    assert {int(row["span_id"], 16): row["kind"] for row in calls} == counted_by_rule(tree)
    check_sums(sandbox)


def rows_of(sandbox: Sandbox, view: str, trace: int) -> list[dict[str, Any]]:
    """The rows of a trace, without its ids and without when they came."""
    left_out = "trace_id, duplicate_trace_id, received_at" if view == "spans" else "trace_id"
    return sandbox.rows(
        f"select * exclude ({left_out}) from {view} where trace_id = ? order by all", [otlp.trace_id(trace)]
    )


def test_days_sum_to_all_calls(sandbox: Sandbox) -> None:
    day_ms = 86_400_000
    for number in range(1, 8):
        sandbox.spans(llm(number, 0, number * 100, trace=number, at_ms=number * day_ms / 3))
    check_sums(sandbox)
    assert sandbox.row("select count(*) as days, sum(call_count) as calls from cost_by_day") == {"days": 3, "calls": 7}
