"""Log records: sent twice they stand once, and one that tells of a call is a span as well."""

from typing import Any

import pytest

from spandeck_collector.journal import Signal
from spandeck_schema.log_spans import load_log_spans

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

SCOPE = "com.anthropic.claude_code.events"
SESSION = {"session.id": "s1", "prompt.id": "p1", "user.id": "u1"}


def request(**attributes: Any) -> otlp.Words:
    """A record of a model call that took half a second and ended at 1,000 ms."""
    facts = {"event.sequence": 1, "model": "acme-1", "duration_ms": "500", "request_id": "req_1", **attributes}
    event = "claude_code.api_request"
    return {"service": "claude-code", "scope": SCOPE, "event": event, "at_ms": 1000, "attributes": SESSION | facts}


def changed(record: otlp.Words, **words: Any) -> otlp.Words:
    """The record with other words."""
    return {**record, **words}


def take_logs(sandbox: Sandbox, *records: otlp.Words) -> None:
    sandbox.take((Signal.LOGS, otlp.logs(records)))


def test_a_model_call_of_a_log_is_a_span_that_ended_when_the_record_was_written(sandbox: Sandbox) -> None:
    take_logs(sandbox, request())
    span = sandbox.row("select * from spans")
    assert (span["kind"], span["name"], span["session_id"]) == ("llm", "claude_code.api_request", "s1")
    assert (span["service"], span["scope"], span["status"]) == ("claude-code", SCOPE, "ok")
    assert span["duration_ms"] == 500
    assert span["ended_at"] == sandbox.row("select occurred_at from log_records")["occurred_at"]
    assert (len(span["trace_id"]), len(span["span_id"]), span["parent_span_id"]) == (32, 16, None)
    assert span["flags"] == ["from_log"]
    assert span["attributes"]["request_id"] == "req_1"
    assert sandbox.row("select llm_call_count, span_count from traces") == {"llm_call_count": 1, "span_count": 1}


def test_the_model_usage_and_cost_of_a_log_count_like_those_of_a_span(sandbox: Sandbox) -> None:
    usage = {"input_tokens": "100", "output_tokens": "20", "cache_read_tokens": "40", "cache_creation_tokens": "10"}
    take_logs(sandbox, request(**usage, cost_usd="0.25"))
    call = sandbox.row("select * from llm_calls")
    assert (call["request_model"], call["usage_basis"], call["reported_cost_usd"]) == ("acme-1", "added", 0.25)
    assert (call["input_tokens"], call["output_tokens"]) == (150, 20)
    assert (call["cache_read_tokens"], call["cache_write_tokens"]) == (40, 10)


def test_a_call_told_by_log_and_span_counts_once_whichever_comes_first(sandbox: Sandbox) -> None:
    usage = {"input_tokens": "100", "output_tokens": "20", "request_id": "req_1"}
    log = (Signal.LOGS, otlp.logs([request(**usage)]))
    told = {"span.type": "llm_request", "model": "acme-1", "session.id": "s1", **usage}
    span = {"id": 1, "service": "claude-code", "scope": "com.anthropic.claude_code.tracing", "attributes": told}
    sandbox.take(log)
    sandbox.spans({**span, "at_ms": 490, "ms": 505})
    assert sandbox.row("select count(*) as n, sum(input_tokens) as tokens from llm_calls") == {"n": 1, "tokens": 100}
    sandbox.spans({**span, "trace": 2, "at_ms": 490, "ms": 505, "attributes": told | {"request_id": "req_2"}})
    sandbox.take((Signal.LOGS, otlp.logs([request(**usage | {"request_id": "req_2"})])))
    assert sandbox.row("select count(*) as n, sum(input_tokens) as tokens from llm_calls") == {"n": 2, "tokens": 200}


def test_calls_of_one_prompt_are_one_trace_and_the_next_prompt_is_another(sandbox: Sandbox) -> None:
    tool = changed(request(tool_name="Read", duration_ms=20), event="claude_code.tool_result")
    take_logs(sandbox, request(), tool, request(**{"prompt.id": "p2"}))
    traces = sandbox.rows("select llm_call_count, tool_call_count from traces order by all")
    assert traces == [
        {"llm_call_count": 1, "tool_call_count": 0},
        {"llm_call_count": 1, "tool_call_count": 1},
    ]


@pytest.mark.parametrize(
    ("event", "attributes"),
    [
        ("claude_code.api_error", {"error": "Overloaded", "status_code": "529"}),
        ("claude_code.tool_result", {"success": "false", "tool_name": "Bash", "error": "Overloaded"}),
        ("claude_code.tool_result", {"success": False, "tool_name": "Bash", "error": "Overloaded"}),
    ],
)
def test_a_failed_call_of_a_log_has_failed(sandbox: Sandbox, event: str, attributes: dict[str, Any]) -> None:
    take_logs(sandbox, changed(request(**attributes), event=event))
    assert sandbox.row("select status, error_message from spans") == {"status": "error", "error_message": "Overloaded"}


def test_the_name_of_the_event_may_be_an_attribute_without_prefix(sandbox: Sandbox) -> None:
    take_logs(sandbox, changed(request(**{"event.name": "api_request"}), event=""))
    assert sandbox.row("select kind from spans") == {"kind": "llm"}
    assert sandbox.row("select event_name from log_records") == {"event_name": "api_request"}


def test_the_same_name_in_another_scope_is_no_call(sandbox: Sandbox) -> None:
    take_logs(sandbox, changed(request(), scope="shop", event="api_request"))
    assert sandbox.rows("select * from spans") == []


def test_a_resent_log_request_is_stored_once_and_counted_as_duplicate(sandbox: Sandbox) -> None:
    other = request(**{"event.sequence": 2})
    for _ in range(2):
        take_logs(sandbox, request(), other)
    assert sandbox.row("select count(*) as n from log_records") == {"n": 2}
    assert sandbox.row("select llm_call_count from traces") == {"llm_call_count": 2}
    counts = "select signal, received_count, stored_count, duplicate_count from ingest_health"
    assert list(sandbox.row(counts).values()) == ["logs", 4, 2, 2]


def test_a_request_twice_in_one_batch_is_stored_once(sandbox: Sandbox) -> None:
    body = otlp.logs([{"body": "hello"}])
    sandbox.take((Signal.LOGS, body), (Signal.LOGS, body))
    assert sandbox.row("select count(*) as n from log_records") == {"n": 1}


def test_equal_lines_of_one_request_are_all_kept_however_often_it_is_sent(sandbox: Sandbox) -> None:
    for _ in range(2):
        take_logs(sandbox, {"body": "again"}, {"body": "again"}, {"body": "again"})
    assert sandbox.row("select count(*) as n from log_records") == {"n": 3}


def test_records_that_differ_in_one_attribute_or_one_service_are_two(sandbox: Sandbox) -> None:
    take_logs(sandbox, {"body": "hello", "attributes": {"n": 1}})
    take_logs(sandbox, {"body": "hello", "attributes": {"n": 2}})
    take_logs(sandbox, {"body": "hello", "attributes": {"n": 1}, "service": "shop"})
    assert sandbox.row("select count(*) as n from log_records") == {"n": 3}


def test_a_call_without_length_or_session_is_a_trace_of_its_own(sandbox: Sandbox) -> None:
    record = changed(request(), attributes={"model": "acme-1", "duration_ms": "soon"})
    take_logs(sandbox, record)
    take_logs(sandbox, changed(record, at_ms=2000))
    spans = sandbox.rows("select duration_ms, flags from spans")
    assert spans == [{"duration_ms": None, "flags": ["incomplete", "from_log"]}] * 2
    assert sandbox.row("select count(*) as n from traces") == {"n": 2}


def test_a_record_with_a_span_is_a_call_below_it(sandbox: Sandbox) -> None:
    take_logs(sandbox, changed(request(), trace=7, id=3))
    span = sandbox.row("select trace_id, parent_span_id from spans")
    assert span == {"trace_id": otlp.trace_id(7), "parent_span_id": otlp.span_id(3)}


def test_equal_records_of_two_services_are_two_calls(sandbox: Sandbox) -> None:
    usage = {"input_tokens": 100, "output_tokens": 20, "request_id": None}
    for service in ("one", "two", "one"):
        take_logs(sandbox, changed(request(**usage), service=service))
    assert sandbox.rows("select service from llm_calls order by all") == [{"service": "one"}, {"service": "two"}]


def test_a_block_is_found_by_each_of_its_events() -> None:
    text = '[[log_spans]]\nname = "a"\nevents = ["a", "b"]\nscopes = ["x.*"]\ntrace_from = []\nduration_ms = "ms"\n'
    rules = load_log_spans(text)
    assert rules["a"] == rules["b"]
    assert rules["a"].is_in("x.y")
    assert not rules["a"].is_in("x")


def test_the_status_code_of_a_failed_request_names_its_error(sandbox: Sandbox) -> None:
    record = request(error="Overloaded", status_code="529", attempt="3")
    take_logs(sandbox, changed(record, event="claude_code.api_error"))
    assert sandbox.row("select error_type, attempt from llm_calls") == {"error_type": "529", "attempt": 3}


DETAILS = "gen_ai.client.inference.operation.details"
SPAN = {"id": 1, "service": "svc", "scope": "opentelemetry.util.genai", "at_ms": 0, "ms": 900}
ASKED = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "acme-1", "gen_ai.provider.name": "acme"}
TOLD = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20, "gen_ai.response.id": "r1"}


def details(*, names_span: bool = True) -> tuple[Signal, bytes]:
    """A record of util-genai that says of span 1 what the span leaves out."""
    record = {"service": "svc", "scope": SPAN["scope"], "event": DETAILS, "at_ms": 890}
    record |= {"trace": 1, "id": 1} if names_span else {}
    return Signal.LOGS, otlp.logs([{**record, "attributes": ASKED | TOLD}])


@pytest.mark.parametrize("first", ["log", "span", "together"])
def test_what_a_log_says_of_a_span_joins_its_call_whichever_comes_first(sandbox: Sandbox, first: str) -> None:
    span = (Signal.TRACES, otlp.traces([{**SPAN, "attributes": ASKED}]))
    steps = {"log": [[details()], [span]], "span": [[span], [details()]], "together": [[span, details()]]}
    for step in steps[first]:
        sandbox.take(*step)
    call = sandbox.row("select * from llm_calls")
    assert (call["input_tokens"], call["output_tokens"], call["duration_ms"]) == (100, 20, 900)
    assert call["span_id"] == otlp.span_id(1)
    trace = sandbox.row("select span_count, llm_call_count, input_tokens, root_name from traces")
    assert trace == {"span_count": 1, "llm_call_count": 1, "input_tokens": 100, "root_name": "work"}
    assert sandbox.row("select count(*) as n from spans") == {"n": 1}


def test_what_a_span_tells_itself_is_not_changed_by_a_log(sandbox: Sandbox) -> None:
    sandbox.spans({**SPAN, "attributes": ASKED | {"gen_ai.usage.input_tokens": 7}})
    sandbox.take(details())
    call = sandbox.row("select input_tokens, output_tokens, response_id from llm_calls")
    assert call == {"input_tokens": 7, "output_tokens": 20, "response_id": "r1"}


def test_a_log_whose_span_never_came_is_no_trace_of_its_own(sandbox: Sandbox) -> None:
    sandbox.take(details())
    assert sandbox.row("select count(*) as n from traces") == {"n": 0}
    assert sandbox.row("select count(*) as n from log_records") == {"n": 1}


def test_details_without_any_span_are_a_call_of_their_own(sandbox: Sandbox) -> None:
    sandbox.take(details(names_span=False))
    assert sandbox.row("select llm_call_count, input_tokens from traces") == {"llm_call_count": 1, "input_tokens": 100}
