"""Rows 28 to 33 and 49 to 58 of the OTLP checklist (docs/otlp.md): what bodies may hold."""

import json
import math
from typing import Any

import grpc
import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.collector.grpc_client import CHECK, SERVING, TRACES, Client
from tests.collector.receiver_process import Receiver, request, request_bytes, running
from tests.support.stack import Stack
from tests.support.web import JSON, PROTOBUF

from .messages import SPAN, attribute, field, json_attribute, json_request, json_span, span_request, varint
from .stored import START_NS, request_of, row_of, rows_of, send, span

pytestmark = pytest.mark.integration


def only_span(receiver: Receiver, body: bytes, media: str = JSON) -> Span:
    """The one span of a request that is all the receiver was sent."""
    assert receiver.post(body, media).status == 200
    (stored,) = receiver.spans()
    return stored


def value_of(receiver: Receiver, value: Any) -> AnyValue:
    return only_span(receiver, json_attribute(value)).attributes[0].value


@pytest.mark.parametrize("convert", [str.upper, str.lower, str.title])
def test_row_28_ids_are_hex_in_any_case(receiver: Receiver, convert: Any) -> None:
    ids = {"traceId": convert("0af7651916cd43dd8448eb211c80319c"), "spanId": convert("b7ad6b7169203331")}
    link = {"traceId": convert("ab" * 16), "spanId": convert("cd" * 8)}
    stored = only_span(receiver, json_request({**ids, "parentSpanId": convert("00f067aa0ba902b7"), "links": [link]}))
    assert stored.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert stored.parent_span_id.hex() == "00f067aa0ba902b7"
    assert (stored.links[0].trace_id, stored.links[0].span_id) == (b"\xab" * 16, b"\xcd" * 8)


def test_row_28_base64_is_no_id(shared_receiver: Receiver) -> None:
    answer = shared_receiver.post(json_request({**SPAN, "traceId": "q6urq6urq6urq6urq6urqw=="}), JSON)
    assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "1"


def test_row_29_enums_are_numbers_and_unknown_ones_are_kept(receiver: Receiver) -> None:
    stored = only_span(receiver, json_span(kind=99, status={"code": 7}))
    assert (stored.kind, stored.status.code) == (99, 7)


def test_row_30_unknown_names_are_ignored_at_every_level(receiver: Receiver) -> None:
    unknown: dict[str, Any] = {"new": {"deep": [1, None, {"x": True}]}}
    item = SPAN | unknown | {"status": unknown | {"code": 2}, "events": [unknown | {"name": "e"}]}
    item["attributes"] = [unknown | {"key": "k", "value": unknown | {"intValue": "3"}}]
    body = {"resourceSpans": [unknown | {"scopeSpans": [unknown | {"spans": [item], "scope": unknown}]}]} | unknown
    stored = only_span(receiver, json.dumps(body).encode())
    assert (stored.status.code, stored.events[0].name, stored.attributes[0].value.int_value) == (2, "e", 3)


def test_row_31_snake_case_is_unknown(shared_receiver: Receiver, receiver: Receiver) -> None:
    stored = only_span(receiver, json_span(start_time_unix_nano="5", parent_span_id="ab" * 8, end_time_unix_nano="6"))
    assert (stored.start_time_unix_nano, stored.end_time_unix_nano, stored.parent_span_id) == (0, 0, b"")
    answer = shared_receiver.post(json_request({"trace_id": "ab" * 16, "span_id": "cd" * 8}), JSON)
    assert b"rejectedSpans" in answer.body


@pytest.mark.parametrize("number", [1790000000000000001, "1790000000000000001"], ids=["number", "text"])
def test_row_32_64_bit_integers_are_numbers_or_texts(receiver: Receiver, number: Any) -> None:
    stored = only_span(receiver, json_span(startTimeUnixNano=number, attributes=[
        {"key": "low", "value": {"intValue": str(-(2**63))}}, {"key": "n", "value": {"intValue": number}}
    ]))  # fmt: skip
    assert stored.start_time_unix_nano == 1790000000000000001
    assert [each.value.int_value for each in stored.attributes] == [-(2**63), 1790000000000000001]


@pytest.mark.parametrize(
    ("value", "which", "expected"),
    [
        (None, None, None),
        ({}, None, None),
        ({"stringValue": None}, None, None),
        ({"doubleValue": "NaN"}, "double_value", math.nan),
        ({"doubleValue": "-Infinity"}, "double_value", -math.inf),
        ({"bytesValue": "-_8="}, "bytes_value", b"\xfb\xff"),
        ({"bytesValue": "+/8"}, "bytes_value", b"\xfb\xff"),
        ({"boolValue": False}, "bool_value", False),
        ({"stringValue": ""}, "string_value", ""),
    ],
)
def test_row_33_null_nan_base64_and_empty_values(
    receiver: Receiver, value: Any, which: str | None, expected: Any
) -> None:
    stored = value_of(receiver, value)
    assert stored.WhichOneof("value") == which
    if which:
        assert repr(getattr(stored, which)) == repr(expected)


@pytest.mark.parametrize("value", [{"intValue": "x"}, {"intValue": 1.5}, {"doubleValue": True}, {"boolValue": "true"},
    {"bytesValue": "!"}, {"arrayValue": []}, {"stringValue": 5}, 5, []])  # fmt: skip
def test_row_33_wrong_types_are_400(shared_receiver: Receiver, value: Any) -> None:
    assert shared_receiver.post(json_attribute(value), JSON).status == 400


def test_row_49_unknown_protobuf_fields_are_ignored(receiver: Receiver) -> None:
    unknown = [field(1000, b"later"), varint(1001 << 3) + b"\x05", varint(1002 << 3 | 1) + bytes(8)]
    stored = only_span(receiver, span_request(*unknown, field(5, b"chat")), PROTOBUF)
    assert stored.name == "chat"


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_row_50_wrong_zero_and_short_ids_are_refused_one_by_one(receiver: Receiver, media: str) -> None:
    wrong = [(bytes(16), b"s" * 8), (b"t" * 16, bytes(8)), (b"t" * 15, b"s" * 8), (b"t" * 16, b"s" * 9), (b"", b"")]
    ids = [*wrong, (b"t" * 16, b"s" * 8)]
    if media == PROTOBUF:
        message = request(len(ids))
        for item, (trace_id, span_id) in zip(message.resource_spans[0].scope_spans[0].spans, ids, strict=True):
            item.trace_id, item.span_id = trace_id, span_id
        body = message.SerializeToString()
    else:
        body = json_request(*({"traceId": trace.hex(), "spanId": one.hex()} for trace, one in ids))
    answer = receiver.post(body, media)
    assert (answer.status, b"5 of 6 spans were refused" in answer.body) == (200, True)
    assert [(stored.trace_id, stored.span_id) for stored in receiver.spans()] == ids[-1:]


def test_row_51_ends_before_starts_and_keys_twice_are_kept(stack: Stack) -> None:
    one = span(end_time_unix_nano=START_NS - 1)
    for number in (1, 2):
        one.attributes.add(key="twice").value.int_value = number
    row = row_of(stack, "row-51", one)
    assert (row["attributes"]["twice"], row["duration_ms"]) == ("2", None)


def test_row_52_indexes_into_a_dictionary_count_as_absent(stack: Stack) -> None:
    """`string_value_strindex` (9 of AnyValue) and `key_strindex` (3 of KeyValue) belong to profiles."""
    item = span().SerializeToString() + field(9, field(1, b"k") + field(2, b"\x48\x05")) + field(9, b"\x18\x05")
    resource = field(1, field(1, field(1, b"service.name") + field(2, field(1, b"row-52"))))
    send(stack, field(1, resource + field(2, field(2, item))))
    row = rows_of(stack, "row-52", 1)[0]
    assert row["attributes"].get("k") is None


def test_row_53_a_value_is_of_any_kind(stack: Stack) -> None:
    inner = KeyValue(key="a", value=AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue()])))
    values = {
        "empty": AnyValue(),
        "bytes": AnyValue(bytes_value=b"\xfb\xff"),
        "mixed": AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="x"), AnyValue(bool_value=True)])),
        "nested": AnyValue(kvlist_value=KeyValueList(values=[inner])),
        "nan": AnyValue(double_value=math.nan),
    }
    row = row_of(stack, "row-53", span(attributes=[KeyValue(key=key, value=value) for key, value in values.items()]))
    assert row["attributes"] == {
        "empty": None, "bytes": "+/8=", "mixed": '["x", true]', "nested": '{"a": [1, null]}', "nan": "nan"
    }  # fmt: skip


def test_row_54_all_flag_bits_are_taken(receiver: Receiver) -> None:
    assert only_span(receiver, json_span(flags=2**32 - 1)).flags == 2**32 - 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_row_55_a_wrong_method_is_405(shared_receiver: Receiver, method: str) -> None:
    answer = shared_receiver.ask(method, "/v1/traces")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "media", ["text/plain", "", "application/json+x", "multipart/form-data", "application/protobuf"]
)
def test_row_55_a_foreign_media_type_is_415_and_never_parsed(receiver: Receiver, media: str) -> None:
    assert receiver.post(json_span(), media).status == 415
    assert receiver.spans() == []


def test_row_56_cors_is_off(shared_receiver: Receiver) -> None:
    for origin in ("http://localhost:3000", "https://app.example"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = shared_receiver.ask("OPTIONS", "/v1/traces", headers=asked)
        assert answer.status in (403, 405)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_row_57_health_needs_no_token_and_holds_no_data(tmp_path: Any) -> None:
    with running(tmp_path, ingest_token="s3cret", read_token="r3ad") as receiver:
        client = Client(receiver)
        for path, body in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
            assert receiver.ask("GET", path).body == body
        assert client.call(CHECK, b"") == SERVING
        (receiver.directory / "journal").rename(receiver.directory / "away")
        assert client.failure(TRACES, request_bytes(), "Bearer s3cret").code() is grpc.StatusCode.UNAVAILABLE
        assert (receiver.ask("GET", "/healthz").status, receiver.ask("GET", "/readyz").status) == (200, 503)
        assert client.call(CHECK, b"") == b"\x08\x02"
        (receiver.directory / "away").rename(receiver.directory / "journal")
        client.channel.close()


def test_row_58_invalid_utf_8_is_400_in_protobuf_and_json(shared_receiver: Receiver) -> None:
    bodies = {
        PROTOBUF: [span_request(field(5, b"\xff\xfe")), span_request(attribute("k", field(1, b"\xc3\x28")))],
        JSON: [json_span(name="x").replace(b'"x"', b'"\xff"'), json_span().replace(b'"chat"', b'"\xed\xa0\x80"')],
    }
    for media, each in bodies.items():
        for body in each:
            assert shared_receiver.post(body, media).status == 400
    assert shared_receiver.post(json_span(name="half \ud83d"), JSON).status == 200


def test_row_58_text_of_any_language_is_stored_as_it_came(stack: Stack) -> None:
    text = "naïve 日本 😀 \u202e\x00\x1b[31m' or 1=1 --"
    one = span(name=text)
    one.attributes.add(key=text).value.string_value = text
    send(stack, request_of("row-58", one).SerializeToString())
    row = rows_of(stack, "row-58", 1)[0]
    assert (row["name"], row["attributes"]) == (text, {text: text})
