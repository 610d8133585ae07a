"""A body that is no OTLP message is refused in the sender's encoding; nothing else is lost, and it can be seen."""

import gzip

import pytest
from google.rpc.code_pb2 import INVALID_ARGUMENT  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.stack import Stack
from tests.support.waiting import eventually
from tests.support.web import JSON, PROTOBUF, is_ready

pytestmark = pytest.mark.integration

_BODIES = {
    "protobuf-noise": (b"\xff\xff\xff\xff not a message", PROTOBUF, {}),
    "protobuf-cut-short": (b"\x0a\x7f\x0a", PROTOBUF, {}),
    "protobuf-bad-gzip": (b"this is not gzip", PROTOBUF, {"Content_Encoding": "gzip"}),
    "protobuf-noise-in-gzip": (gzip.compress(b"\xff" * 64), PROTOBUF, {"Content_Encoding": "gzip"}),
    "json-cut-short": (b'{"resourceSpans": [{"scopeSpans": [', JSON, {}),
    "json-wrong-shape": (b'{"resourceSpans": {"spans": 7}}', JSON, {}),
    "json-not-an-object": (b"[]", JSON, {}),
    "json-not-utf8": (b'{"resourceSpans": [{"schemaUrl": "\xff"}]}', JSON, {}),
}
_REASON = "The body is not a valid OTLP message."


@pytest.mark.parametrize("case", _BODIES)
def test_malformed_body_is_answered_in_its_own_encoding_and_counted_and_costs_nothing_else(
    stack: Stack, case: str
) -> None:
    body, content_type, more = _BODIES[case]
    service = f"bad-input-{case}"
    refused_before = _refused(stack)
    assert stack.post(_good_body(service, 1), PROTOBUF).status == 200

    answer = stack.post(body, content_type, **more)

    assert (answer.status, answer.headers.get_content_type()) == (400, content_type)
    error = answer.error()
    assert error.code == INVALID_ARGUMENT
    assert error.message
    assert stack.post(_good_body(service, 2), PROTOBUF).status == 200
    eventually(lambda: _span_ids(stack, service) == [f"{1:016x}", f"{2:016x}"], "the spans around the refused body")
    eventually(lambda: _refused(stack) == refused_before + 1, "the refusal in ingest_health")
    assert _last_reason(stack) == _REASON
    assert is_ready(stack.settings.http_port)
    assert is_ready(stack.settings.query_port)


def test_spans_without_valid_ids_are_refused_one_by_one_and_the_others_stored(stack: Stack) -> None:
    request = ExportTraceServiceRequest.FromString(_good_body("bad-ids", 1))
    request.resource_spans[0].scope_spans[0].spans.add(trace_id=b"short", span_id=b"x", name="no ids")
    answer = stack.post(request.SerializeToString(), PROTOBUF)
    assert answer.status == 200
    assert ExportTraceServiceResponse.FromString(answer.body).partial_success.rejected_spans == 1
    eventually(lambda: _span_ids(stack, "bad-ids") == [f"{1:016x}"], "the valid span")


def _good_body(service: str, number: int) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    resource.scope_spans.add().spans.add(
        trace_id=service.encode()[-16:].rjust(16, b"-"),
        span_id=number.to_bytes(8, "big"),
        name="checkout",
        start_time_unix_nano=1_790_000_000_000_000_000,
        end_time_unix_nano=1_790_000_000_500_000_000,
    )
    return request.SerializeToString()


def _span_ids(stack: Stack, service: str) -> list[str]:
    return [row["span_id"] for row in stack.records("select span_id from spans where service = ? order by 1", service)]


def _refused(stack: Stack) -> int:
    sql = "select coalesce(sum(refused_count), 0)::bigint as n from ingest_health where signal = 'traces'"
    return int(stack.records(sql)[0]["n"])


def _last_reason(stack: Stack) -> str:
    sql = "select refusal_reason as r from ingest_health where refused_count > 0 and signal = 'traces'"
    return str(stack.records(sql)[0]["r"])
