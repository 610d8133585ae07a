"""History normalized again is what it would be if it came today."""

import math
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandeck_collector.journal import Signal
from spandeck_collector.store.commands.command import CommandError
from spandeck_collector.store.commands.normalize import normalize
from spandeck_collector.store.decode import MOST_SPANS
from spandeck_collector.store.history import tell_if_outdated
from spandeck_schema.mapping import attribute_slots, load_mapping, resource_slots

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

TABLES = ("spans", "span_events", "calls", "traces", "alerts", "ingest_log", "price_models")
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "acme-1", "gen_ai.provider.name": "acme"}
_SLOTS = attribute_slots(load_mapping())
_TEXTS = st.one_of(
    st.sampled_from(["", " ", "acme", "acme-1", "chat", "execute_tool", "llm", "TOOL", "true", "12", "x\0y"]),
    st.text(max_size=5),
)
_VALUES = st.one_of(_TEXTS, st.integers(-5, 10**13), st.floats(), st.booleans(), st.lists(_TEXTS, max_size=2))
_ATTRIBUTES = st.dictionaries(st.one_of(st.sampled_from(_SLOTS), st.text(max_size=3)), _VALUES, max_size=12)
_NS = st.one_of(
    st.sampled_from([0, 1, 999, 946_684_799_999_999_999, 946_684_800_000_000_000, 2**63, 2**64 - 1]),
    st.integers(otlp.NOON_NS - 10**7, otlp.NOON_NS + 10**13),
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """A span of one of a few traces, with times, events and attributes that may be anything."""
    number = draw(st.integers(1, 8))
    result = Span(
        trace_id=draw(st.integers(1, 3)).to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=draw(st.sampled_from([b"", bytes(8), *(n.to_bytes(8, "big") for n in range(1, 9))])),
        name=draw(_TEXTS),
        kind=draw(st.sampled_from(list(Span.SpanKind.values()))),
        start_time_unix_nano=draw(_NS),
        end_time_unix_nano=draw(_NS),
        attributes=otlp.key_values(draw(_ATTRIBUTES)),
        dropped_attributes_count=draw(st.sampled_from([0, 3])),
    )
    result.status.code = draw(st.integers(0, 2))  # type: ignore[assignment]
    result.status.message = draw(st.one_of(_TEXTS, st.just(" " + "x" * 2047 + "  tail"), st.just(" " * 3000)))
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(["exception", "First Token Stream Event", "other"]))
        words = {"exception.type": draw(_TEXTS), "exception.message": draw(_TEXTS)}
        result.events.add(name=name, time_unix_nano=draw(_NS), attributes=otlp.key_values(words))
    return result


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A request with some spans."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(
        otlp.key_values(draw(st.dictionaries(st.sampled_from(resource_slots(load_mapping())), _TEXTS, max_size=3)))
    )
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = draw(st.sampled_from(["", "spandeck", "openinference.instrumentation.openai"]))
    scope_spans.spans.extend(draw(st.lists(spans(), min_size=1, max_size=5)))
    return request.SerializeToString()


def contents(sandbox: Sandbox) -> dict[str, list[str]]:
    """All rows of the tables, whatever their order."""
    rows = {name: sandbox.connection.execute(f"select * from store.{name}").fetchall() for name in TABLES}
    return {name: sorted(map(repr, found)) for name, found in rows.items()}


def run(
    sandbox: Sandbox, since: str | None = None, cursor: str | None = None, most_steps: float = math.inf
) -> list[dict[str, Any]]:
    """The answers of the steps behind `cursor`, each in a transaction of its own."""
    answers: list[dict[str, Any]] = []
    while len(answers) < most_steps and not (answers and answers[-1]["finished"]):
        action = normalize({"since": since, "cursor": answers[-1]["cursor"] if answers else cursor})
        with sandbox.ingest.transaction():
            answers.append(action(sandbox.ingest))
    return answers


def spoil(sandbox: Sandbox) -> None:
    """Leave the stored rows as a mapping that understood little would have: another kind, no model, no tokens."""
    sandbox.connection.execute(
        "update store.spans set kind = 'other', provider = 'older', request_model = null, input_tokens = 1, "
        "session_id = null, family = 'x', status = 'ok', error_message = null, usage_basis = null, step = 4"
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for all examples of a property: opening one takes longer than an example."""
    result = Sandbox(tmp_path_factory.mktemp("history"))
    yield result
    result.connection.close()


@settings(max_examples=8, deadline=None)
@given(batches=st.lists(bodies(), min_size=1, max_size=3), most_spans=st.sampled_from([1, 3, MOST_SPANS]))
def test_whatever_was_stored_comes_out_the_same(shared: Sandbox, batches: list[bytes], most_spans: int) -> None:
    for table in TABLES:
        shared.connection.execute(f"delete from store.{table}")
    for body in batches:
        shared.take((Signal.TRACES, body))
    shared.ingest.history.most_spans = most_spans
    before = contents(shared)
    assert sum(answer["changed_span_count"] for answer in run(shared)) == 0
    assert contents(shared) == before
    spoil(shared)
    assert sum(answer["changed_span_count"] for answer in run(shared)) == len(before["spans"])
    assert contents(shared) == before


def test_nanoseconds_and_the_order_of_events_at_one_time_are_kept(sandbox: Sandbox) -> None:
    errors = [{"name": "exception", "attributes": {"exception.type": kind}} for kind in ("First", "Second", "Third")]
    request = ExportTraceServiceRequest.FromString(otlp.traces([{"id": 1, "status": "ERROR", "events": errors}]))
    (span,) = request.resource_spans[0].scope_spans[0].spans
    span.start_time_unix_nano, span.end_time_unix_nano = otlp.NOON_NS + 999, otlp.NOON_NS + 3_000
    sandbox.take((Signal.TRACES, request.SerializeToString()))
    before = contents(sandbox)
    assert sandbox.row("select duration_ms, error_type from spans") == {"duration_ms": 0.002001, "error_type": "First"}
    spoil(sandbox)
    run(sandbox)
    assert contents(sandbox) == before


def test_a_step_takes_whole_traces_up_to_its_bound_and_a_larger_one_alone(sandbox: Sandbox) -> None:
    for trace, count in enumerate((2, 2, 7, 1, 3), start=1):
        sandbox.spans(*({"trace": trace, "id": trace * 10 + number} for number in range(count)))
    sandbox.ingest.history.most_spans = 4
    answers = run(sandbox)
    assert [answer["done_trace_count"] for answer in answers] == [2, 3, 5]
    assert {answer["trace_count"] for answer in answers} == {5}
    assert [answer["finished"] for answer in answers] == [False, False, True]


def test_since_takes_traces_with_a_span_received_from_then_on(sandbox: Sandbox) -> None:
    for trace in (1, 2, 3, 1):
        sandbox.spans({"trace": trace, "id": sandbox.batch_count + 1})
    spoil(sandbox)
    assert run(sandbox, "2026-05-04T14:01:03+02:00")[-1]["done_trace_count"] == 2
    kinds = sandbox.rows("select trace_id, bool_and(family = 'x') as is_spoiled from spans group by all order by all")
    assert [row["is_spoiled"] for row in kinds] == [False, True, False]
    assert run(sandbox, "2027-01-01")[-1] | {"cursor": ""} == {
        "done_trace_count": 0,
        "trace_count": 0,
        "changed_span_count": 0,
        "cursor": "",
        "finished": True,
    }


def test_a_step_that_is_cut_off_changes_nothing_and_the_next_goes_on(sandbox: Sandbox) -> None:
    for trace in range(1, 6):
        sandbox.spans({"trace": trace, "id": trace, "attributes": CALL})
    before = contents(sandbox)
    spoil(sandbox)
    sandbox.ingest.history.most_spans = 2
    (answer,) = run(sandbox, most_steps=1)
    spoiled = contents(sandbox)
    with pytest.raises(ZeroDivisionError), sandbox.ingest.transaction():
        print(normalize({"cursor": answer["cursor"]})(sandbox.ingest)["done_trace_count"] / 0)
    assert contents(sandbox) == spoiled
    sandbox.restart()
    assert run(sandbox, cursor=answer["cursor"])[-1]["finished"]
    assert contents(sandbox) == before


def test_ingestion_between_two_steps_is_neither_lost_nor_counted(sandbox: Sandbox) -> None:
    for trace in range(1, 5):
        sandbox.spans({"trace": trace, "id": trace, "attributes": CALL})
    spoil(sandbox)
    sandbox.ingest.history.most_spans = 2
    (answer,) = run(sandbox, most_steps=1)
    sandbox.spans({"trace": 9, "id": 9, "attributes": CALL}, {"trace": 4, "id": 40, "parent": 4, "attributes": CALL})
    last = run(sandbox, cursor=answer["cursor"])[-1]
    assert (last["done_trace_count"], last["trace_count"]) == (4, 4)
    assert sandbox.row("select sum(span_count) as spans, sum(llm_call_count) as calls from traces") == {
        "spans": 6,
        "calls": 5,
    }
    assert sandbox.rows("select * from spans where family = 'x'") == []


def test_what_was_read_from_content_stays_when_the_content_has_gone(sandbox: Sandbox) -> None:
    kept = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "handoff"}
    attributes = kept | {"gen_ai.tool.call.arguments": '{"agent_name": "clerk"}'}
    sandbox.spans({"id": 1, "attributes": attributes})
    (before,) = sandbox.rows("select tool_input_hash, handoff_to_agent from store.spans")
    assert before["tool_input_hash"]
    assert before["handoff_to_agent"] == "clerk"
    pairs = [list(kept), list(kept.values())]
    sandbox.connection.execute("update store.spans set attributes = map(?::varchar[], ?::varchar[])", pairs)
    spoil(sandbox)
    run(sandbox)
    assert sandbox.rows("select tool_input_hash, handoff_to_agent from store.spans") == [before]


def test_the_store_says_that_an_older_mapping_normalized_it(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    def outdate() -> None:
        sandbox.connection.execute("update store.about set normalized_by = 'older'")
        tell_if_outdated(sandbox.connection)

    state = "select is_normalized, advice is not null as has_advice, normalized_at is not null as was_run from about"
    outdate()
    assert sandbox.row(state) == {"is_normalized": True, "has_advice": False, "was_run": False}, "it holds no span"
    sandbox.spans({"id": 1})
    outdate()
    assert sandbox.row(state) == {"is_normalized": False, "has_advice": True, "was_run": False}
    assert "spandeck normalize --since all" in caplog.text
    run(sandbox, "2026-01-01")
    assert sandbox.row(state)["is_normalized"] is False, "there may be older spans"
    run(sandbox)
    assert sandbox.row(state) == {"is_normalized": True, "has_advice": False, "was_run": True}


def test_short_memory_makes_the_next_step_smaller(sandbox: Sandbox) -> None:
    for trace in range(1, 5):
        sandbox.spans(*({"trace": trace, "id": number, "attributes": CALL} for number in range(1, 30)))
    used = sandbox.row("select sum(memory_usage_bytes)::bigint as bytes from duckdb_memory()")["bytes"]
    sandbox.connection.execute("set max_temp_directory_size = '0MB'")
    sandbox.connection.execute(f"set memory_limit = '{used + 300_000} bytes'")
    for _ in range(3):
        with pytest.raises(duckdb.OutOfMemoryException), sandbox.ingest.transaction():
            normalize({})(sandbox.ingest)
    sandbox.connection.execute("set memory_limit = '500MB'")
    sandbox.ingest.history.most_spans = 29 * 8
    assert [answer["done_trace_count"] for answer in run(sandbox)] == [1, 3, 4]


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"sinse": None}, "'sinse'"),
        ({"since": 5}, '"since"'),
        ({"since": "yesterday"}, '"since"'),
        ({"since": "0001-01-01T00:00:00+14:00"}, '"since"'),
        ({"cursor": 5}, '"cursor"'),
        ({"cursor": "x'; drop table store.spans; --"}, '"cursor"'),
        ({"cursor": f"0a/{'9999-99-99T00:00:00/' * 3}"}, '"cursor"'),
        ({"cursor": f"0a/{'0001-01-01T00:00:00/' * 3}"}, "mapping has changed"),
        ({"cursor": f"0a/{'0001-01-01T00:00:00/' * 3}", "since": "2026-01-01"}, 'another "since"'),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, Any], word: str) -> None:
    with pytest.raises(CommandError, match=word) as caught:
        normalize(parameters)
    assert caught.value.status == 400


@pytest.mark.parametrize("odd", ["\r", "\n\t", "\x1c", "\u00a0", "\u3000", " {'a': 1}", "true\r", " "])
def test_odd_white_space_is_read_again_as_it_was_read_first(odd: str, sandbox: Sandbox) -> None:
    names = ("session.id", "langfuse.observation.usage_details", "llm.is_streaming", "gen_ai.usage.input_tokens")
    sandbox.spans(*({"id": number, "attributes": {name: odd}} for number, name in enumerate(names, start=1)))
    before = contents(sandbox)
    assert sum(answer["changed_span_count"] for answer in run(sandbox)) == 0
    assert contents(sandbox) == before
