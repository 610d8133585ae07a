"""The journal's promises: what was acknowledged is read back once, in order, whatever happened to the end."""

import shutil
import stat
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.journal import (
    JournalFullError,
    JournalLockedError,
    JournalReader,
    JournalVersionError,
    JournalWriteError,
    JournalWriter,
    Position,
    Record,
    Signal,
)
from spandeck_collector.journal_format import (
    SEGMENT_HEADER_BYTES,
    segment_header,
    segment_numbers,
    segment_path,
)

pytestmark = pytest.mark.unit

DEADLINE_S = 20
LARGE = 1 << 30
START = Position(0, 0)
bodies = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=12)


def opened(directory: Path, *, segment_bytes: int = 4096, limit_bytes: int = LARGE) -> JournalWriter:
    return JournalWriter(directory, segment_bytes=segment_bytes, limit_bytes=limit_bytes)


def append(writer: JournalWriter, *bodies: bytes) -> None:
    """Submit all, then wait until all are on disk."""
    waiting = [writer.submit(Signal.TRACES, body, number) for number, body in enumerate(bodies)]
    for done in waiting:
        done.result(DEADLINE_S)


def written(directory: Path, *bodies: bytes, segment_bytes: int = 4096) -> None:
    writer = opened(directory, segment_bytes=segment_bytes)
    append(writer, *bodies)
    writer.close()


def read(directory: Path, position: Position = START, max_bytes: int = 500) -> list[Record]:
    reader = JournalReader(directory, position)
    found = []
    while records := reader.read(max_bytes):
        found += records
    reader.close()
    return found


def read_bodies(directory: Path, position: Position = START) -> list[bytes]:
    return [record.body for record in read(directory, position)]


def failure(done: Future[None]) -> BaseException | None:
    return done.exception(DEADLINE_S)


@settings(max_examples=40, deadline=None)
@given(runs=st.lists(bodies, min_size=1, max_size=4), segment_bytes=st.sampled_from([64, 500, 4096]))
def test_any_records_over_any_restarts_read_back_once_in_order(runs: list[list[bytes]], segment_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for run in runs:
            written(Path(folder), *run, segment_bytes=segment_bytes)
        assert read_bodies(Path(folder)) == [body for run in runs for body in run]


@settings(max_examples=40, deadline=None)
@given(runs=st.lists(bodies, min_size=1, max_size=3), data=st.data())
def test_reading_goes_on_exactly_after_any_record(runs: list[list[bytes]], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for run in runs:
            written(Path(folder), *run, segment_bytes=500)
        records = read(Path(folder))
        last = data.draw(st.integers(0, len(records) - 1))
        assert read(Path(folder), records[last].position) == records[last + 1 :]
        assert [record.position for record in records] == sorted(record.position for record in records)


def test_signal_and_time_come_back_with_the_body(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    writer.submit(Signal.REFUSALS, b"{}", 2**63).result(DEADLINE_S)
    writer.close()
    assert [record[:3] for record in read(tmp_path)] == [(Signal.REFUSALS, 2**63, b"{}")]


def test_a_cut_at_any_byte_loses_only_what_follows_in_that_segment(tmp_path: Path) -> None:
    original = tmp_path / "original"
    written(original, b"first" * 5, b"second" * 5, b"third" * 5)
    written(original, b"after a restart")
    first = segment_path(original, segment_numbers(original)[0])
    whole = first.read_bytes()
    ends = [record.position.offset for record in read(original)][:3]
    bodies = read_bodies(original)
    for offset in range(len(whole)):
        first.write_bytes(whole[:offset])
        intact = sum(end <= offset for end in ends)
        assert read_bodies(original) == [*bodies[:intact], b"after a restart"], offset


def test_a_reader_follows_a_writer_through_segments_as_they_appear(tmp_path: Path) -> None:
    writer, reader = opened(tmp_path, segment_bytes=200), JournalReader(tmp_path, START)
    found: list[bytes] = []
    for number in range(50):
        append(writer, b"%d" % number * 20)
        found += [record.body for record in reader.read(LARGE)]
        assert reader.read(LARGE) == []
    writer.close()
    reader.close()
    assert found == [b"%d" % number * 20 for number in range(50)]


def test_a_half_written_record_is_read_once_it_is_whole(tmp_path: Path) -> None:
    written(tmp_path, b"first", b"second")
    path = segment_path(tmp_path, segment_numbers(tmp_path)[0])
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + bytes(3))
    reader = JournalReader(tmp_path, START)
    assert [record.body for record in reader.read(LARGE)] == [b"first"]
    assert reader.read(LARGE) == []
    with path.open("r+b") as file:
        file.write(whole)
    assert [record.body for record in reader.read(LARGE)] == [b"second"]
    reader.close()


def test_no_more_bytes_than_asked_for_but_at_least_one_record(tmp_path: Path) -> None:
    written(tmp_path, b"a" * 10, b"b" * 10, b"c" * 100, b"d")
    reader = JournalReader(tmp_path, START)
    sizes = [[len(record.body) for record in reader.read(25)] for _ in range(3)]
    reader.close()
    assert sizes == [[10, 10], [100], [1]]


def test_a_record_above_the_segment_size_gets_a_segment_of_its_own(tmp_path: Path) -> None:
    written(tmp_path, b"small", b"x" * 10_000, b"small again", segment_bytes=256)
    assert read_bodies(tmp_path) == [b"small", b"x" * 10_000, b"small again"]


def test_files_are_the_owners_alone_and_a_segment_is_preallocated(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    writer = opened(directory)
    assert segment_numbers(directory) == []
    append(writer, b"body")
    path = segment_path(directory, segment_numbers(directory)[0])
    assert path.stat().st_size == 4096
    assert len(path.name) == len("000000000001.journal")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    writer.close()
    assert path.stat().st_size < 4096


def test_a_new_writer_starts_the_next_segment_and_an_empty_directory_the_clock(tmp_path: Path) -> None:
    before = int(time.time())
    written(tmp_path, b"one")
    written(tmp_path, b"two")
    first, second = segment_numbers(tmp_path)
    assert first >= before
    assert second == first + 1


def test_a_second_writer_is_refused_until_the_first_is_closed(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    with pytest.raises(JournalLockedError, match="SPANDECK_DATA_DIR"):
        opened(tmp_path)
    writer.close()
    opened(tmp_path).close()


def test_consumed_segments_go_but_never_the_newest(tmp_path: Path) -> None:
    written(tmp_path, b"a" * 100, b"b" * 100, b"c" * 100, segment_bytes=150)
    records = read(tmp_path)
    numbers = segment_numbers(tmp_path)
    reader = JournalReader(tmp_path, records[1].position)
    reader.remove_consumed(records[1].position)
    assert segment_numbers(tmp_path) == numbers[1:]
    reader.remove_consumed(Position(numbers[-1] + 5, 0))
    assert segment_numbers(tmp_path) == numbers[-1:]
    assert [record.body for record in reader.read(LARGE)] == [b"c" * 100]
    reader.close()


def test_a_position_in_a_removed_segment_goes_on_at_the_next(tmp_path: Path) -> None:
    written(tmp_path, b"a" * 100, b"b" * 100, segment_bytes=150)
    first, _ = segment_numbers(tmp_path)
    segment_path(tmp_path, first).unlink()
    assert read_bodies(tmp_path, Position(first, 40)) == [b"b" * 100]


def test_a_position_after_all_segments_starts_at_the_lowest(tmp_path: Path) -> None:
    written(tmp_path, b"put back from a backup")
    assert read_bodies(tmp_path, Position(10**11, 500)) == [b"put back from a backup"]


def test_a_reader_survives_the_emptying_of_its_directory(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    written(directory, b"before")
    reader = JournalReader(directory, START)
    assert len(reader.read(LARGE)) == 1
    number = segment_numbers(directory)[0]
    shutil.rmtree(directory)
    assert reader.read(LARGE) == []
    directory.mkdir()
    written(tmp_path / "other", b"after")
    segment_path(tmp_path / "other", segment_numbers(tmp_path / "other")[0]).rename(
        segment_path(directory, number - 100)
    )
    assert [record.body for record in reader.read(LARGE)] == [b"after"]
    reader.close()


def test_a_full_journal_refuses_and_takes_again_what_the_reader_made_room_for(tmp_path: Path) -> None:
    writer = opened(tmp_path, segment_bytes=1000, limit_bytes=1000)
    append(writer, b"a" * 800)
    for _ in range(3):
        error = failure(writer.submit(Signal.TRACES, b"b" * 800, 0))
        assert isinstance(error, JournalFullError)
        assert "SPANDECK_JOURNAL_LIMIT_BYTES" in str(error)
    assert len(segment_numbers(tmp_path)) == 2
    reader = JournalReader(tmp_path, START)
    assert [record.body for record in reader.read(LARGE)] == [b"a" * 800]
    assert reader.read(LARGE) == []
    reader.remove_consumed(reader.position)
    append(writer, b"b" * 800)
    assert [record.body for record in reader.read(LARGE)] == [b"b" * 800]
    writer.close()
    reader.close()


def test_what_waits_for_the_disk_is_bounded(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, segment_bytes=1 << 20, limit_bytes=LARGE, waiting_bytes=1000)
    futures = [writer.submit(Signal.TRACES, b"x" * 600, 0) for _ in range(200)]
    errors = [failure(done) for done in futures]
    writer.close()
    assert errors[0] is None
    assert all(error is None or isinstance(error, JournalFullError) for error in errors)
    assert len(read(tmp_path)) == sum(error is None for error in errors)


def test_a_write_error_fails_its_records_and_the_next_segment_takes_over(tmp_path: Path) -> None:
    writer = opened(tmp_path, segment_bytes=200)
    append(writer, b"a" * 150)
    tmp_path.rename(tmp_path.with_name("away"))
    error = failure(writer.submit(Signal.TRACES, b"b" * 150, 0))
    assert isinstance(error, JournalWriteError)
    assert writer.failure is error
    tmp_path.with_name("away").rename(tmp_path)
    append(writer, b"c" * 150)
    assert writer.failure is None
    writer.close()
    assert read_bodies(tmp_path) == [b"a" * 150, b"c" * 150]


def test_closing_writes_what_waits_and_refuses_what_comes_after(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    waiting = [writer.submit(Signal.LOGS, b"%d" % number, 0) for number in range(1, 500)]
    writer.close()
    assert all(failure(done) is None for done in waiting)
    assert isinstance(failure(writer.submit(Signal.LOGS, b"late", 0)), JournalWriteError)
    assert len(read(tmp_path)) == len(waiting)


def test_a_newer_version_is_refused_in_words_and_a_damaged_header_is_not(tmp_path: Path) -> None:
    written(tmp_path, b"body")
    path = segment_path(tmp_path, segment_numbers(tmp_path)[0])
    body = path.read_bytes()[SEGMENT_HEADER_BYTES:]
    start = segment_header()[:8] + (9).to_bytes(2, "little") + bytes(2)
    path.write_bytes(start + crc32(start).to_bytes(4, "little") + body)
    with pytest.raises(JournalVersionError, match="version 9"):
        read(tmp_path)
    path.write_bytes(start + bytes(4) + body)
    assert read(tmp_path) == []


def test_an_empty_body_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    with pytest.raises(ValueError, match="at least one byte"):
        writer.submit(Signal.TRACES, b"", 0)
    writer.close()


def test_an_idle_or_missing_journal_reads_as_nothing(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "absent", START)
    assert reader.read(LARGE) == []
    reader.remove_consumed(Position(5, 0))
    reader.close()
