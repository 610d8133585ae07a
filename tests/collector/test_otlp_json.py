"""OTLP/JSON means the same as OTLP/protobuf, in all the spellings that proto3 JSON and exporters use."""

import base64
import json
import math
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandeck_collector.receiver.otlp_json import OtlpJsonError, message_from_json
from spandeck_collector.store.values import value_text
from spandeck_collector.wire import parse

pytestmark = pytest.mark.unit

UINT64 = st.integers(0, 2**64 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = st.binary(max_size=17)

scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=TEXT),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=INT64),
    st.builds(AnyValue, double_value=st.floats(allow_nan=False)),
    st.builds(AnyValue, bytes_value=st.binary(max_size=9)),
)


def _attributes(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[list[KeyValue]]:
    return st.lists(st.builds(KeyValue, key=TEXT, value=values), max_size=3)


values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda items: AnyValue(array_value=ArrayValue(values=items)), st.lists(inner, max_size=3)),
        st.builds(lambda items: AnyValue(kvlist_value=KeyValueList(values=items)), _attributes(inner)),
    ),
    max_leaves=6,
)
attributes = _attributes(values)
events = st.builds(Span.Event, time_unix_nano=UINT64, name=TEXT, attributes=attributes)
links = st.builds(Span.Link, trace_id=IDS, span_id=IDS, trace_state=TEXT, flags=st.integers(0, 2**32 - 1))
spans = st.builds(
    Span,
    trace_id=IDS,
    span_id=IDS,
    parent_span_id=IDS,
    trace_state=TEXT,
    flags=st.integers(0, 2**32 - 1),
    name=TEXT,
    kind=st.integers(0, 9),
    start_time_unix_nano=UINT64,
    end_time_unix_nano=UINT64,
    attributes=attributes,
    dropped_attributes_count=st.integers(0, 2**32 - 1),
    events=st.lists(events, max_size=2),
    links=st.lists(links, max_size=2),
    status=st.one_of(st.none(), st.builds(Status, message=TEXT, code=st.integers(0, 2))),
)


def _request(spans: list[Span], attributes: list[KeyValue]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add(schema_url="https://example.org/schema")
    resource.resource.attributes.extend(attributes)
    resource.scope_spans.add().spans.extend(spans)
    return request


def _with_hex_ids(value: Any) -> Any:
    """proto3 JSON has ids in base64, OTLP/JSON in hex."""
    if isinstance(value, list):
        return [_with_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = {"traceId", "spanId", "parentSpanId"}
    return {key: base64.b64decode(item).hex() if key in ids else _with_hex_ids(item) for key, item in value.items()}


@settings(max_examples=150, deadline=None)
@given(spans=st.lists(spans, max_size=3), attributes=attributes, as_names=st.booleans())
def test_json_and_protobuf_of_the_same_spans_are_the_same_message(
    spans: list[Span], attributes: list[KeyValue], as_names: bool
) -> None:
    request = _request(spans, attributes)
    text = json.dumps(_with_hex_ids(json_format.MessageToDict(request, use_integers_for_enums=not as_names)))
    assert message_from_json(text.encode(), ExportTraceServiceRequest) == (request, False)


def span_of(**fields: Any) -> Span:
    """The one span of a JSON request with these fields."""
    text = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]})
    return message_from_json(text.encode(), ExportTraceServiceRequest)[0].resource_spans[0].scope_spans[0].spans[0]


def value_of(value: Any) -> AnyValue:
    return span_of(attributes=[{"key": "k", "value": value}]).attributes[0].value


@pytest.mark.parametrize("text", ["0AF7651916CD43DD8448EB211C80319C", "0af7651916cd43dd8448eb211c80319c"])
def test_ids_are_hex_in_any_case(text: str) -> None:
    assert span_of(traceId=text).trace_id == bytes.fromhex(text)


@pytest.mark.parametrize("text", ["AAAAAAAAAAAAAAAAAAAAAA==", "abc", "zz", "0a 0b", "0x0a", "\u0660\u0660"])
def test_an_id_that_is_not_hex_is_no_id(text: str) -> None:
    assert span_of(spanId=text).span_id == b""


@pytest.mark.parametrize("number", ["1790000000000000001", 1790000000000000001], ids=["text", "number"])
def test_64_bit_integers_come_as_text_or_number(number: Any) -> None:
    assert span_of(startTimeUnixNano=number).start_time_unix_nano == 1790000000000000001


def test_whole_floats_are_integers() -> None:
    assert value_of({"intValue": 5.0}).int_value == 5
    assert value_of({"intValue": "-7"}).int_value == -7


@pytest.mark.parametrize("kind", [3, "SPAN_KIND_CLIENT", "3"], ids=["number", "name", "text"])
def test_enums_come_as_number_or_name(kind: Any) -> None:
    assert span_of(kind=kind).kind == Span.SPAN_KIND_CLIENT
    assert span_of(kind=99).kind == 99


def test_null_is_the_default_everywhere() -> None:
    empty = ExportTraceServiceRequest()
    assert message_from_json(b'{"resourceSpans": null}', ExportTraceServiceRequest)[0] == empty
    assert message_from_json(b"null", ExportTraceServiceRequest)[0] == empty
    assert span_of(name=None, attributes=None, status=None, startTimeUnixNano=None) == Span()
    assert value_of(None) == AnyValue()
    array = value_of({"arrayValue": {"values": [None, {"stringValue": ""}]}}).array_value.values
    assert [item.WhichOneof("value") for item in array] == [None, "string_value"]


@pytest.mark.parametrize(
    ("given_value", "number"),
    [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), ("1.5e3", 1500.0), (2, 2.0)],
)
def test_doubles_come_as_numbers_and_as_texts(given_value: Any, number: float) -> None:
    assert value_of({"doubleValue": given_value}).double_value == pytest.approx(number, nan_ok=True)


def test_a_number_beyond_double_is_infinite() -> None:
    assert value_of({"doubleValue": -(10**400)}).double_value == -math.inf


@pytest.mark.parametrize("text", ["-_8=", "+/8=", "+/8"])
def test_bytes_are_base64_of_either_alphabet(text: str) -> None:
    assert value_of({"bytesValue": text}).bytes_value == b"\xfb\xff"


def test_the_default_in_a_oneof_is_kept_apart_from_nothing() -> None:
    for name, value in (
        ("string_value", {"stringValue": ""}),
        ("int_value", {"intValue": "0"}),
        ("bool_value", {"boolValue": False}),
        ("array_value", {"arrayValue": {}}),
        ("bytes_value", {"bytesValue": ""}),
        (None, {}),
    ):
        assert value_of(value).WhichOneof("value") == name


def test_unknown_and_snake_case_names_are_ignored() -> None:
    assert span_of(name="chat", start_time_unix_nano="5", trace_id="ab" * 16, other={"x": [1]}) == Span(name="chat")


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert span_of(name="cut \ud83d").name == "cut \ufffd"
    assert span_of(name="whole \U0001f600").name == "whole \U0001f600"


def test_metrics_and_logs_are_read_by_the_same_rules() -> None:
    logs = message_from_json(
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"AB","severityNumber":"SEVERITY_NUMBER_INFO"}]}]}]}',
        ExportLogsServiceRequest,
    )[0]
    record = logs.resource_logs[0].scope_logs[0].log_records[0]
    assert (record.trace_id, record.severity_number) == (b"\xab", 9)
    metrics = message_from_json(
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":'
        b'[{"bucketCounts":["1",2],"explicitBounds":[0.5,"Infinity"]}]}}]}]}]}',
        ExportMetricsServiceRequest,
    )[0]
    point = metrics.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points[0]
    assert (list(point.bucket_counts), list(point.explicit_bounds)) == ([1, 2], [0.5, math.inf])


@pytest.mark.parametrize(
    "fields",
    [
        {"name": 5},
        {"name": ["x"]},
        {"traceId": 5},
        {"kind": True},
        {"kind": "SPAN_KIND_OF_OURS"},
        {"kind": 2**31},
        {"startTimeUnixNano": -1},
        {"startTimeUnixNano": 2**64},
        {"startTimeUnixNano": "1_000"},
        {"startTimeUnixNano": " 1"},
        {"startTimeUnixNano": 1.5},
        {"startTimeUnixNano": "9" * 5000},
        {"attributes": {}},
        {"attributes": ["x"]},
        {"status": []},
        {"attributes": [{"value": {"doubleValue": "nan"}}]},
        {"attributes": [{"value": {"doubleValue": True}}]},
        {"attributes": [{"value": {"boolValue": "true"}}]},
        {"attributes": [{"value": {"bytesValue": "!"}}]},
        {"attributes": [{"value": {"arrayValue": []}}]},
    ],
)
def test_a_wrong_type_is_an_error_that_names_no_value(fields: dict[str, Any]) -> None:
    with pytest.raises(OtlpJsonError, match="must be"):
        span_of(**fields)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"a":NaN}', b"\xff", b"[" * 10**5, b"9" * 5000])
def test_what_is_no_json_object_is_an_error(body: bytes) -> None:
    with pytest.raises(OtlpJsonError):
        message_from_json(body, ExportTraceServiceRequest)


@pytest.mark.parametrize("depth", [30, 46, 60, 300])
def test_both_encodings_take_any_depth_and_leave_out_the_same(depth: int) -> None:
    value: dict[str, Any] = {"stringValue": "leaf"}
    nested = AnyValue(string_value="leaf").SerializeToString()
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
        nested = _field(5, _field(1, nested))
    body = _field(1, _field(2, _field(2, _field(9, _field(2, nested)))))
    from_protobuf = parse(ExportTraceServiceRequest, body)
    text = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"value": value}]}]}]}]})
    from_json, has_cut = message_from_json(text.encode(), ExportTraceServiceRequest)
    assert has_cut is (depth > 46)
    for message in (from_protobuf, from_json):
        span = ExportTraceServiceRequest.FromString(message.SerializeToString()).resource_spans[0].scope_spans[0].spans
        assert ("leaf" in str(span)) is (depth <= 46)
    assert value_text(_value(from_protobuf)) == value_text(_value(from_json))


def _value(request: ExportTraceServiceRequest) -> AnyValue:
    return request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value


def _field(number: int, content: bytes) -> bytes:
    """One length-delimited protobuf field."""
    length = b""
    size = len(content)
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content
