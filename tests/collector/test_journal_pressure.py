"""The journal's bounds beside its size: how long records may wait for the store, and what stays free on the disk."""

import shutil
import time
from pathlib import Path

import pytest

from spandeck_collector.journal import JournalFullError, JournalWriter, Position, Signal
from spandeck_collector.journal_backlog import StoredMark, stored_mark
from tests.support.waiting import eventually

from .receiver_process import request_bytes, running

pytestmark = pytest.mark.integration


def _append(writer: JournalWriter, body: bytes = b"body") -> None:
    writer.submit(Signal.TRACES, body, time.time_ns(), "10.0.0.7").result(10)


def _is_refused(writer: JournalWriter) -> bool:
    error = writer.submit(Signal.TRACES, b"body", time.time_ns()).exception(10)
    return isinstance(error, JournalFullError) and "SPANDECK_JOURNAL_LIMIT_S" in str(error)


def test_a_record_that_waits_too_long_stops_new_ones_until_the_store_has_it(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, segment_bytes=1 << 20, limit_bytes=1 << 24, limit_s=1.5)
    _append(writer)
    eventually(lambda: _is_refused(writer))
    assert isinstance(writer.failure, JournalFullError)
    StoredMark(tmp_path).write(Position(1 << 40, 0))
    eventually(lambda: writer.failure is None)
    _append(writer)
    writer.close()


def test_what_an_earlier_writer_left_counts_since_it_was_written(tmp_path: Path) -> None:
    for _ in range(2):
        writer = JournalWriter(tmp_path, segment_bytes=1 << 20, limit_bytes=1 << 24)
        _append(writer)
        writer.close()
    writer = JournalWriter(tmp_path, segment_bytes=1 << 20, limit_bytes=1 << 24, limit_s=1.0)
    eventually(lambda: writer.failure is not None)
    StoredMark(tmp_path).write(Position(1 << 40, 0))
    eventually(lambda: writer.failure is None)
    writer.close()


def test_a_mark_that_cannot_be_read_is_the_beginning(tmp_path: Path) -> None:
    assert stored_mark(tmp_path) == Position(0, 0)
    StoredMark(tmp_path).write(Position(12, 345))
    assert stored_mark(tmp_path) == Position(12, 345)
    (tmp_path / "stored").write_text("what?")
    assert stored_mark(tmp_path) == Position(0, 0)


def test_below_the_free_space_floor_the_answer_is_503_with_a_hint(tmp_path: Path) -> None:
    floor = shutil.disk_usage(tmp_path).total
    with running(tmp_path, free_space_floor_bytes=floor) as receiver:
        answer = receiver.post(request_bytes())
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "SPANDECK_FREE_SPACE_FLOOR_BYTES" in answer.error().message
        assert receiver.ask("GET", "/readyz").status == 503
        assert receiver.spans() == []


def test_a_record_knows_where_it_came_from_over_both_transports(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        assert receiver.post(request_bytes()).status == 200
        assert [record.address for record in receiver.records()] == ["127.0.0.1"]
