"""For a recording, the feed of a live replay is the backtest of the same rules, row for row."""

from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandeck_collector.journal import Signal
from spandeck_collector.parcels import Parcel
from spandeck_collector.receiver.otlp_json import message_from_json
from spandeck_collector.recordings import read_recording
from spandeck_collector.sample_files import sample_folder
from tests.schema.sandbox import Sandbox

from .live import Live, by_all

pytestmark = pytest.mark.integration

SLICE = timedelta(minutes=12)
GRACE = timedelta(minutes=1)


def parcels() -> list[tuple[datetime, Parcel]]:
    """The last minutes of the sample recordings, in the order in which they ended."""
    found = [each for path in sorted(sample_folder().glob("*.jsonl")) for each in read_recording(path)]
    ended = sorted(((moment(each), each) for each in found), key=lambda pair: pair[0])
    return [(at, each) for at, each in ended if at > ended[-1][0] - SLICE]


def protobuf(parcel: Parcel) -> bytes:
    return message_from_json(parcel.body(), ExportTraceServiceRequest).SerializeToString()


def moment(parcel: Parcel) -> datetime:
    return datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(microseconds=parcel.latest_ns // 1000)


def test_the_feed_of_a_live_replay_is_the_backtest_row_for_row(sandbox: Sandbox) -> None:
    recorded = parcels()
    live = Live(sandbox, grace=GRACE)
    live.now = begin = recorded[0][0]
    live.restart()
    for at, parcel in recorded:
        live.receive(at, (Signal.TRACES, protobuf(parcel)))
    live.until(live.now + timedelta(minutes=2))
    feed = by_all(live.feed())
    assert feed == live.past(begin - SLICE, live.now - GRACE)
    assert {row[0] for row in feed} >= {"slow_first_token", "unpriced_traffic"}
