"""What is done where the OTLP specification is silent (docs/otlp.md, "Policy")."""

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandeck_collector.journal import Signal
from spandeck_collector.redaction import redacted_bodies
from tests.collector.receiver_process import Receiver, request_bytes, running
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually
from tests.support.web import JSON, PROTOBUF

from .messages import SPAN, attribute, field, json_request, nested_value, span_request
from .stored import START_NS, request_of, row_of, rows_of, send, span

pytestmark = pytest.mark.integration

HOSTILE = "../../etc/passwd'; drop table store.spans; -- <script>alert(1)</script> {{7*7}} %s\x00\r\nX: y"


def attributes(**values: Any) -> list[KeyValue]:
    """Attributes of texts, integers and floats; `__` in a name is a dot."""
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return [
        KeyValue(key=name.replace("__", "."), value=AnyValue(**{kinds[type(value)]: value}))
        for name, value in values.items()
    ]


def model_call(**more: Any) -> list[KeyValue]:
    return attributes(gen_ai__operation__name="chat", gen_ai__request__model="odd-model", **more)


@pytest.mark.parametrize("path", ["/", "/v1/trace", "/v1/traces/", "//v1/traces", "/V1/TRACES", "/v1/traces%00"])
def test_policy_an_unknown_path_is_404(shared_receiver: Receiver, path: str) -> None:
    assert shared_receiver.post(request_bytes(), path=path).status == 404


@pytest.mark.parametrize("name", ["Host", "Origin"])
def test_policy_a_foreign_host_or_origin_is_403_and_told_the_setting(shared_receiver: Receiver, name: str) -> None:
    values = {"Host": "spandeck:4318", "Origin": "http://spandeck:3000"}
    answer = shared_receiver.post(b"{}", JSON, **{name: values[name]})
    assert (answer.status, "SPANDECK_ALLOWED_HOSTS" in answer.error().message) == (403, True)


def test_policy_the_names_of_a_sidecar_pass_once_they_are_allowed(tmp_path: Path) -> None:
    with running(tmp_path, allowed_hosts="spandeck,host.docker.internal") as receiver:
        for host in ("spandeck:4318", "host.docker.internal:4318"):
            assert receiver.post(b"{}", JSON, Host=host).status == 200


@pytest.mark.parametrize(
    ("flag", "times"),
    [
        ("no_start", (0, 0)),
        ("no_start", (0, START_NS)),
        ("future", (2**64 - 1, 2**64 - 1)),
        ("clock_skew", (START_NS, START_NS - 10**9)),
    ],
)
def test_policy_odd_times_are_stored_and_count_in_no_duration(stack: Stack, flag: str, times: tuple[int, int]) -> None:
    service = f"odd-times-{times}"
    row = row_of(stack, service, span(start_time_unix_nano=times[0], end_time_unix_nano=times[1]))
    assert flag in row["flags"]
    assert not row["duration_ms"]


def test_policy_odd_numbers_are_stored_and_in_no_sum(stack: Stack) -> None:
    odd: list[Any] = [-5, 2**62, float("nan"), float("inf"), "many"]
    spans = [span(kind=3, attributes=model_call(gen_ai__usage__input_tokens=value)) for value in odd]
    spans += [span(kind=3, attributes=model_call(gen_ai__usage__cost=float("nan"), gen_ai__usage__input_tokens=10))]
    send(stack, request_of("odd-numbers", *spans).SerializeToString())
    rows = rows_of(stack, "odd-numbers", len(spans))
    assert [row["input_tokens"] for row in rows] == [None, None, None, None, None, 10]
    sums = stack.records(
        "select sum(input_tokens)::bigint as tokens, sum(cost_usd) as cost_usd from traces where service = ?",
        "odd-numbers",
    )[0]
    assert sums["tokens"] == 10
    assert sums["cost_usd"] is None or 0 <= sums["cost_usd"] < 1
    percentiles = stack.records("select * from latency_by_model where model = ?", "odd-model")[0]
    assert all(value is None or value >= 0 for value in percentiles.values() if isinstance(value, int | float))


def test_policy_ten_thousand_attributes_and_twenty_thousand_events_are_stored(stack: Stack) -> None:
    many = [KeyValue(key=f"k{number}", value=AnyValue(int_value=number)) for number in range(10_000)]
    events = [Span.Event(name="tick", time_unix_nano=START_NS + number) for number in range(20_000)]
    row = row_of(stack, "very-many", span(attributes=many, events=events))
    assert len(row["attributes"]) == 10_000
    count = "select count(*)::bigint from span_events where span_id = ?"
    eventually(lambda: stack.rows(count, row["span_id"]) == [[20_000]])


def test_policy_hostile_text_is_data_and_nothing_else(tmp_path: Path) -> None:
    """No file, no folder and no statement is made of it."""
    with ready_stack(tmp_path, "up", "--no-ui") as stack:
        before = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*")}
        one = span(
            name=HOSTILE, trace_state=HOSTILE, attributes=[KeyValue(key=HOSTILE, value=AnyValue(string_value=HOSTILE))]
        )
        one.status.message = HOSTILE
        body = request_of(HOSTILE, one)
        body.resource_spans[0].scope_spans[0].scope.name = HOSTILE
        send(stack, body.SerializeToString())
        row = rows_of(stack, HOSTILE, 1)[0]
        assert (row["name"], row["attributes"][HOSTILE]) == (HOSTILE, HOSTILE)
        after = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*")}
        assert {Path(*parts).suffix for parts in after - before} <= {".wal", ".duckdb", ""}
        assert not [path for path in tmp_path.rglob("*") if "passwd" in path.name]


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
@pytest.mark.parametrize("depth", [31, 33, 60, 400])
def test_policy_nesting_is_kept_to_32_levels_with_a_note(stack: Stack, media: str, depth: int) -> None:
    """Levels are arrays and maps inside one another; the value is told as truncated where one was left out."""
    service = f"deep-{media[12:]}-{depth}"
    send(stack, deep_request(service, media, depth), media)
    row = rows_of(stack, service, 1)[0]
    text = row["attributes"]["deep"]
    kept = min(depth, 32)
    assert text == "[" * kept + ('"leaf"' if depth <= 32 else '"(nested deeper than 32 levels)"') + "]" * kept
    assert row["attributes"].get("spandeck.truncated") == (None if depth <= 32 else '{"deep": null}')


def test_policy_a_secret_beside_what_is_too_deep_is_redacted_all_the_same() -> None:
    secret = "sk-ant-api03-" + "Aa1" * 31 + "AA"
    body = span_request(attribute("deep", nested_value(400)), attribute("note", field(1, secret.encode())))
    (clean,) = redacted_bodies([(Signal.TRACES, body)])
    assert secret.encode() in body
    assert secret.encode() not in clean


def deep_request(service: str, media: str, depth: int) -> bytes:
    one = span(name=service)
    if media == PROTOBUF:
        resource = field(1, field(1, field(1, b"service.name") + field(2, field(1, service.encode()))))
        item = one.SerializeToString() + attribute("deep", nested_value(depth))
        return field(1, resource + field(2, field(2, item)))
    value = '{"arrayValue":{"values":[' * depth + '{"stringValue":"leaf"}' + "]}}" * depth
    ids = {
        "traceId": one.trace_id.hex(),
        "spanId": one.span_id.hex(),
        "attributes": [{"key": "deep", "value": "VALUE"}],
    }
    of_service = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json_request(SPAN | ids, resource=of_service).replace(b'"VALUE"', value.encode())


def test_policy_values_are_cut_at_64_kib_with_a_note(stack: Stack) -> None:
    one = span(
        name="n" * 100_000,
        attributes=attributes(short="s", exact="e" * 65_536, long="l" * 500_000, wide="é" * 40_000),
        events=[Span.Event(name="e", attributes=attributes(long="x" * 70_000))],
    )
    row = row_of(stack, "long-values", one)
    assert {name: len(value.encode()) for name, value in row["attributes"].items() if name != "spandeck.truncated"} == {
        "short": 1, "exact": 65_536, "long": 65_536, "wide": 65_536
    }  # fmt: skip
    assert json.loads(row["attributes"]["spandeck.truncated"]) == {"long": 500_000, "wide": 80_000}
    assert len(row["name"]) == 65_536
    event = stack.records("select * from span_events where span_id = ?", row["span_id"])[0]
    assert json.loads(event["attributes"]["spandeck.truncated"]) == {"long": 70_000}


def test_policy_a_resource_of_half_a_megabyte_on_thousands_of_spans_is_stored(tmp_path: Path) -> None:
    with ready_stack(tmp_path, "up", "--no-ui", memory_limit="512MB") as stack:
        request = request_of("large-resource", *(span() for _ in range(20_000)))
        resource = request.resource_spans[0].resource.attributes
        resource.extend(attributes(large="r" * 500_000))
        send(stack, request.SerializeToString())
        count = "select count(*)::bigint from spans where service = 'large-resource'"
        eventually(lambda: stack.rows(count) == [[20_000]])
        sql = "select length(resource['large']) as n, resource['spandeck.truncated'] as note from spans limit 1"
        assert stack.records(sql)[0] == {"n": 16_384 - len("large-resource"), "note": '{"large": 500000}'}


def test_policy_a_span_with_tiny_children_by_the_million_is_refused(shared_receiver: Receiver) -> None:
    body = span_request(b"\x5a\x00" * 2_000_000)
    answer = shared_receiver.post(body)
    assert (answer.status, answer.error().message.startswith("The request has too many")) == (400, True)
    assert shared_receiver.post(request_bytes()).status == 200
