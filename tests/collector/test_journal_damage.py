"""Damaged journal segments: only the records that were hit are lost, and every loss is reported."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.journal import DamagedSegment, JournalReader, JournalWriter, Position, Signal
from spandeck_collector.journal_format import SEGMENT_HEADER_BYTES, record_header, segment_numbers, segment_path

pytestmark = pytest.mark.unit

LAST = b"in the next segment"
bodies_of_a_segment = st.lists(st.binary(min_size=1, max_size=90).map(lambda body: body + b"."), min_size=1, max_size=6)


def written(directory: Path, *bodies: bytes) -> None:
    writer = JournalWriter(directory, segment_bytes=4096, limit_bytes=1 << 20)
    for body in bodies:
        writer.submit(Signal.TRACES, body, 7).result(20)
    writer.close()


def read(directory: Path) -> tuple[list[bytes], list[DamagedSegment]]:
    reader = JournalReader(directory, Position(0, 0))
    bodies = []
    while records := reader.read(100):
        bodies += [record.body for record in records]
    damage = reader.take_damage()
    assert reader.take_damage() == []
    reader.close()
    return bodies, damage


def first_segment(directory: Path) -> Path:
    return segment_path(directory, segment_numbers(directory)[0])


@settings(max_examples=150, deadline=None)
@given(bodies=bodies_of_a_segment, change=st.integers(1, 255), data=st.data())
def test_a_changed_byte_loses_at_most_the_record_it_hits_and_is_reported(
    bodies: list[bytes], change: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        written(directory, *bodies)
        written(directory, LAST)
        path = first_segment(directory)
        content = bytearray(path.read_bytes())
        offset = data.draw(st.integers(0, len(content) - 1))
        content[offset] ^= change
        path.write_bytes(content)
        found, damage = read(directory)
        hit, start = SEGMENT_HEADER_BYTES, 0
        kept = list(bodies)
        for number, body in enumerate(bodies):
            end = hit + len(record_header(0, Signal.TRACES, body, 7)) + len(body)
            if hit <= offset < end:
                start = hit
                del kept[number]
            hit = end
        assert found == [*kept, LAST]
        assert damage == [DamagedSegment(path, Position(segment_numbers(directory)[0], start))]


@settings(max_examples=60, deadline=None)
@given(bodies=bodies_of_a_segment, data=st.data())
def test_the_torn_end_of_a_killed_writer_is_no_damage(bodies: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        written(directory, *bodies)
        written(directory, LAST)
        path = first_segment(directory)
        content = path.read_bytes()
        last = len(content) - len(bodies[-1])
        torn = data.draw(st.integers(last, len(content) - 1))
        path.write_bytes(content[:torn] + bytes(4096 - torn))
        assert read(directory) == ([*bodies[:-1], LAST], [])


def test_what_is_intact_is_no_damage(tmp_path: Path) -> None:
    written(tmp_path, b"one", b"two")
    written(tmp_path, LAST)
    assert read(tmp_path) == ([b"one", b"two", LAST], [])


def test_damage_in_the_segment_that_is_written_waits_for_the_next_segment(tmp_path: Path) -> None:
    written(tmp_path, b"one", b"two", b"three")
    path = first_segment(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"two", b"twa"))
    reader = JournalReader(tmp_path, Position(0, 0))
    assert [record.body for record in reader.read(1000)] == [b"one"]
    assert (reader.read(1000), reader.take_damage()) == ([], [])
    written(tmp_path, LAST)
    assert [record.body for record in reader.read(1000)] == [b"three"]
    assert len(reader.take_damage()) == 1
    assert [record.body for record in reader.read(1000)] == [LAST]
    reader.close()


def test_two_places_are_reported_each_and_the_records_between_are_read(tmp_path: Path) -> None:
    written(tmp_path, b"one", b"two", b"three", b"four", b"five")
    written(tmp_path, LAST)
    path = first_segment(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"two", b"twa").replace(b"four", b"fiur"))
    bodies, damage = read(tmp_path)
    assert bodies == [b"one", b"three", b"five", LAST]
    assert len(damage) == 2


def test_what_a_body_says_is_not_taken_for_a_record_while_the_length_is_intact(tmp_path: Path) -> None:
    fake = record_header(5, Signal.TRACES, b"fake", 7) + b"fake"
    written(tmp_path, b"one", b"x" + fake, b"three")
    written(tmp_path, LAST)
    path = first_segment(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"x" + fake, b"y" + fake))
    assert read(tmp_path)[0] == [b"one", b"three", LAST]


def test_a_segment_full_of_false_headers_is_given_up(tmp_path: Path) -> None:
    false = (1 << 19).to_bytes(4, "little") + b"\1" * 20 + b"\1\0\0\0"
    writer = JournalWriter(tmp_path, segment_bytes=1 << 20, limit_bytes=1 << 24)
    writer.submit(Signal.TRACES, false * 37_000, 7).result(20)
    writer.close()
    written(tmp_path, LAST)
    path = first_segment(tmp_path)
    content = bytearray(path.read_bytes())
    content[SEGMENT_HEADER_BYTES + 2] ^= 0x80
    content[-1] = 1
    path.write_bytes(content)
    bodies, damage = read(tmp_path)
    assert bodies == [LAST]
    assert len(damage) == 1


def test_a_full_journal_makes_no_new_file_for_each_refusal(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, segment_bytes=1 << 20, limit_bytes=1 << 20)
    writer.submit(Signal.TRACES, b"x" * 900_000, 7).result(20)
    for _ in range(20):
        assert writer.submit(Signal.TRACES, b"y" * (1 << 19), 7).exception(20) is not None
        assert writer.submit(Signal.REFUSALS, b"{}", 7).exception(20) is None
    writer.close()
    assert len(segment_numbers(tmp_path)) <= 3
