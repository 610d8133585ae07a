"""JSON and protobuf of the same spans become the same rows of the store, and large bodies the same as small ones."""

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandeck_collector.receiver.admission import has_wrong_ids, take_out_wrong
from spandeck_collector.receiver.large_bodies import LargeBody
from spandeck_collector.receiver.large_json import LargeJson
from spandeck_collector.receiver.otlp_json import message_from_json
from spandeck_collector.receiver.otlp_signals import TRACES
from tests.collector.test_otlp_json import events, links, values
from tests.collector.test_otlp_json import spans as any_spans
from tests.support.stack import Stack
from tests.support.waiting import eventually
from tests.support.web import JSON, PROTOBUF

from .stored import START_NS, request_of, span

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
keys = st.one_of(TEXTS, st.sampled_from(["gen_ai.request.model", "gen_ai.usage.input_tokens", "error.type"]))
IGNORED = "trace_id, span_id, received_at, service, resource"


@st.composite
def stored_spans(draw: st.DrawFn) -> Span:
    """A span with valid ids and anything else."""
    one = span(
        name=draw(TEXTS),
        kind=draw(st.integers(0, 7)),
        start_time_unix_nano=START_NS + draw(st.integers(-(10**17), 10**9)),
        end_time_unix_nano=START_NS + draw(st.integers(-(10**17), 10**9)),
        events=draw(st.lists(events, max_size=2)),
        links=draw(st.lists(links, max_size=2)),
    )
    for key, value in draw(st.dictionaries(keys, values, max_size=4)).items():
        one.attributes.add(key=key, value=value)
    return one


def as_json(request: ExportTraceServiceRequest) -> bytes:
    """OTLP/JSON of a request: proto3 JSON with hex ids and enums as numbers."""
    return json.dumps(_with_hex_ids(json_format.MessageToDict(request, use_integers_for_enums=True))).encode()


def _with_hex_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = {"traceId", "spanId", "parentSpanId"}
    return {key: base64.b64decode(item).hex() if key in ids else _with_hex_ids(item) for key, item in value.items()}


def _copy(one: Span) -> Span:
    """The same span in a trace of its own."""
    copy, ids = Span(), span()
    copy.CopyFrom(one)
    copy.trace_id, copy.span_id = ids.trace_id, ids.span_id
    return copy


def _rows(stack: Stack, ids: list[str]) -> list[list[Any]]:
    """Spans in the order of the ids, and what their events say."""
    among = "where list_contains(?::varchar[], trace_id)"
    told = stack.rows(f"select * exclude ({IGNORED}) from spans {among} order by trace_id", ids)
    return [*told, *stack.rows(f"select name, occurred_at, attributes from span_events {among} order by all", ids)]


@pytest.mark.integration
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(made=st.lists(stored_spans(), min_size=1, max_size=12))
def test_json_and_protobuf_of_the_same_spans_are_the_same_rows(stack: Stack, made: list[Span]) -> None:
    twins = [[_copy(one) for one in made] for _ in range(2)]
    first, second = (request_of("same-rows", *group) for group in twins)
    assert stack.post(first.SerializeToString(), PROTOBUF).status == 200
    assert stack.post(as_json(second), JSON).status == 200
    ids = [[one.trace_id.hex() for one in group] for group in twins]
    count = "select count(*)::bigint from spans where list_contains(?::varchar[], trace_id)"
    eventually(lambda: stack.rows(count, [*ids[0], *ids[1]]) == [[2 * len(made)]])
    from_protobuf, from_json = (_rows(stack, each) for each in ids)
    assert from_protobuf == from_json


def whole(made: list[Span]) -> ExportTraceServiceRequest:
    """A request of two resources and three scopes with these spans."""
    request = request_of("large", *made)
    request.resource_spans[0].scope_spans.add().scope.name = "empty"
    request.resource_spans[0].scope_spans.add().spans.extend(made[1:])
    request.resource_spans.add(schema_url="https://example.org/x").scope_spans.add().spans.extend(made[:1])
    return request


@pytest.mark.unit
@settings(max_examples=60, deadline=None)
@given(made=st.lists(any_spans, max_size=4), run_bytes=st.integers(1, 200))
def test_a_large_body_checked_in_runs_is_what_it_is_when_parsed_at_once(made: list[Span], run_bytes: int) -> None:
    """Runs of any length: those of a span's own fields, too."""
    request = whole(made)
    body = request.SerializeToString()
    large = LargeBody(TRACES, body, has_wrong_ids, run_bytes)
    wrong = sum(map(take_out_wrong, TRACES.item_lists(request)))
    assert (large.wrong_count, large.has_cut) == (wrong, False)
    assert large.kept_count == sum(map(len, TRACES.item_lists(request)))
    assert ExportTraceServiceRequest.FromString(large.kept) == request
    assert wrong or large.kept is body


@pytest.mark.unit
@settings(max_examples=60, deadline=None)
@given(made=st.lists(any_spans, max_size=4))
def test_large_json_converted_span_by_span_is_what_it_is_when_converted_at_once(made: list[Span]) -> None:
    body = as_json(whole(made))
    request, _ = message_from_json(body, ExportTraceServiceRequest)
    large = LargeJson(TRACES, body, take_out_wrong)
    assert large.wrong_count == sum(map(take_out_wrong, TRACES.item_lists(request)))
    assert ExportTraceServiceRequest.FromString(large.kept) == request
