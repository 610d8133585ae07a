"""Small requests that would cost much: refused by their number of parts and by the bytes held at once."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.receiver.admission import Media, admit
from spandeck_collector.receiver.intake import Budget
from spandeck_collector.receiver.item_limits import MOST_CONTAINERS, MOST_ITEMS, check_protobuf
from spandeck_collector.receiver.otlp_signals import LOGS, METRICS, SIGNALS, TRACES, OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError

pytestmark = pytest.mark.unit


def field(number: int, body: bytes) -> bytes:
    length, encoded = len(body), b""
    while length > 0x7F:
        encoded += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + encoded + bytes([length]) + body


def refusal(otlp: OtlpSignal, body: bytes, media: Media = Media.PROTOBUF) -> Reason | None:
    try:
        admit(otlp, body, media)
    except RefusedError as refused:
        return refused.reason
    return None


@pytest.mark.parametrize("otlp", SIGNALS, ids=lambda otlp: otlp.name)
def test_containers_are_counted_to_the_last(otlp: OtlpSignal) -> None:
    empty = field(1, b"")
    assert refusal(otlp, empty * MOST_CONTAINERS) is None
    assert refusal(otlp, empty * (MOST_CONTAINERS + 1)) is Reason.TOO_MANY
    assert refusal(otlp, field(1, field(2, b"") * MOST_CONTAINERS)) is Reason.TOO_MANY


@pytest.mark.parametrize("otlp", [LOGS, METRICS], ids=lambda otlp: otlp.name)
def test_items_are_counted_to_the_last(otlp: OtlpSignal) -> None:
    empty = field(2, b"")
    assert refusal(otlp, field(1, field(2, empty * MOST_ITEMS))) is None
    assert refusal(otlp, field(1, field(2, empty * (MOST_ITEMS + 1)))) is Reason.TOO_MANY


@pytest.mark.parametrize("data", [5, 7, 9, 10, 11])
def test_data_points_count_as_items(data: int) -> None:
    metric = field(data, field(1, b"") * MOST_ITEMS)
    assert refusal(METRICS, field(1, field(2, field(2, metric)))) is Reason.TOO_MANY


@pytest.mark.parametrize(
    "unknown", [b"\x18\x00", b"\x1b\x1c", field(15, b""), b"\x1d0000"], ids=["number", "group", "text", "fixed"]
)
def test_unknown_fields_do_not_hide_parts_and_are_bounded_too(unknown: bytes) -> None:
    assert refusal(TRACES, (unknown + field(1, b"")) * (MOST_CONTAINERS + 1)) is Reason.TOO_MANY
    assert refusal(TRACES, unknown * 2_100_000) is Reason.TOO_MANY


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(SIGNALS))
def test_the_count_leaves_what_is_malformed_to_the_parser(body: bytes, otlp: OtlpSignal) -> None:
    check_protobuf(otlp, bytes([0x0A]) * (MOST_CONTAINERS * 2) + body)


@pytest.mark.parametrize(
    "request_",
    [
        {"resourceSpans": [{}] * (MOST_CONTAINERS + 1)},
        {"resourceSpans": [{"scopeSpans": [{}] * (MOST_CONTAINERS + 1)}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [{}] * (MOST_ITEMS + 1)}]}]},
        {"other": [{}] * 2_100_000},
        {"other": [[]] * 2_100_000},
    ],
    ids=["resources", "scopes", "spans", "objects", "arrays"],
)
def test_parts_of_json_are_counted(request_: dict[str, Any]) -> None:
    assert refusal(TRACES, json.dumps(request_).encode(), Media.JSON) is Reason.TOO_MANY


@pytest.mark.parametrize(
    "text", ['{"resourceSpans":1}', '{"resourceSpans":[1]}', '{"resourceSpans":[{"scopeSpans":{}}]}', "[]", "1"]
)
def test_wrong_types_in_json_are_malformed_as_ever(text: str) -> None:
    assert refusal(TRACES, text.encode(), Media.JSON) is Reason.MALFORMED


def test_held_bytes_are_given_back() -> None:
    budget = Budget(10)
    with budget.held() as held:
        held.take(6)
        with pytest.raises(RefusedError) as raised:
            held.take(5)
        assert raised.value.reason is Reason.BUSY
        budget.take(4)
        budget.give_back(4)
    budget.take(10)


@pytest.mark.integration
def test_a_bomb_of_empty_parts_is_a_bad_request_and_the_next_request_is_taken(receiver: Any) -> None:
    answer = receiver.post(gzip.compress(field(1, b"") * (8 << 20), 1), Content_Encoding="gzip")
    assert (answer.status, answer.error().code) == (400, 3)
    span = field(1, b"t" * 16) + field(2, b"s" * 8)
    assert receiver.post(field(1, field(2, field(2, span)))).status == 200
    assert receiver.stop() == 0
    assert receiver.refusals() == {("traces", Reason.TOO_MANY.sentence): 1}
