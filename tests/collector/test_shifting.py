"""The laws of moving recorded telemetry: both encodings alike, ids distinct and stable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandeck_collector.receiver.otlp_json import message_from_json
from spandeck_collector.sample_files import sample_folder
from spandeck_collector.shifting import Shift

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("path", sorted(sample_folder().glob("*.jsonl")), ids=lambda path: path.stem)
def test_json_and_protobuf_are_shifted_alike(path: Path) -> None:
    """Decode then shift equals shift then decode, for every line of the samples."""
    shift = Shift(123_456_789_000, path.stem)
    for line in path.read_text(encoding="utf-8").splitlines()[:20]:
        message = message_from_json(line.encode(), ExportTraceServiceRequest)[0]
        shift.apply_to_message(message)
        document = json.loads(line)
        shift.apply_to_json(document)
        assert message_from_json(json.dumps(document).encode(), ExportTraceServiceRequest)[0] == message


@given(
    st.lists(st.binary(min_size=8, max_size=8), unique=True, max_size=20),
    st.integers(-(10**18), 10**18),
)
def test_new_ids_are_distinct_and_stable_and_odd_values_stay(ids: list[bytes], shift_ns: int) -> None:
    """Distinct ids stay distinct; zero or odd ids and times that are no numbers are left to the collector."""
    shift = Shift(shift_ns, "law")
    document: dict[str, Any] = {"spans": [{"spanId": each.hex(), "name": "step"} for each in ids]}
    again = json.loads(json.dumps(document))
    shift.apply_to_json(document)
    shift.apply_to_json(again)
    assert document == again
    assert len({each["spanId"] for each in document["spans"]}) == len(ids)
    odd = {"traceId": "00" * 16, "spanId": "xyz", "parentSpanId": None, "startTimeUnixNano": "0"}
    kept = {**odd, "endTimeUnixNano": "soon"}
    shift.apply_to_json(kept)
    assert kept == {**odd, "endTimeUnixNano": "soon"}
