"""Reads the journal from a position while another process writes it, and removes what has been consumed."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from spandeck_collector.journal_damage import DamagedSegment, has_content, is_unfinished, next_intact
from spandeck_collector.journal_format import (
    HAS_ADDRESS,
    RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    JournalVersionError,
    Position,
    Record,
    Signal,
    is_intact,
    is_segment,
    parse_header,
    segment_numbers,
    segment_path,
    without_address,
)


class JournalReader:
    """Reads records in order, each once, beginning at `position`; one reader per journal, no locks.

    An invalid record is either half written or the torn end that a crash left. Both read as "nothing more
    yet". A segment counts as finished only when a later one was seen before a read that found nothing more,
    because a writer starts a segment after its last write to the one before.

    What cannot be read in a finished segment is damage, unless it is the torn end: nothing intact follows and
    the segment still has its unused zeros, so its writer was killed and acknowledged nothing there. (The last
    record before a kill, damaged later, looks the same and is not reported.) Damage is reported by
    `take_damage`, and reading goes on at the next intact record of the segment, so that only the records that
    were hit are lost. Damage in a segment that is still written waits until the writer starts the next one.

    Where the segment of `position` does not exist, reading goes on at the lowest later segment; where there
    are only earlier ones, the directory was emptied or put back from a backup, and reading starts at the
    lowest: storing a span again does no harm, missing one does. (A writer numbers an empty directory from
    the clock, so after emptying, numbers go on upward.)
    """

    def __init__(self, directory: Path, position: Position) -> None:
        """Begin before the record at `position`; the directory may not exist yet."""
        self._directory = directory
        self._segment, self._offset = position
        self._file: int | None = None
        self._file_bytes = 0
        self._sequence: int | None = None
        self._damage: list[DamagedSegment] = []

    @property
    def position(self) -> Position:
        """After the last record that was read."""
        return Position(self._segment, self._offset)

    def read(self, max_bytes: int) -> list[Record]:
        """The next records, with bodies of `max_bytes` together but at least one; [] when there is none.

        Raises `JournalVersionError` for a segment or signal of a newer version, `OSError` if the disk fails.
        """
        while not (records := self._take(max_bytes)):
            following = self._following()
            if following is None:
                return []
            if records := self._take(max_bytes):
                return records
            if not self._pass_damage():
                self._move(Position(following, 0))
        return records

    def take_damage(self) -> list[DamagedSegment]:
        """What `read` found damaged since the last call, one entry for each place.

        After a restart a place is reported again where the position was kept from before it.
        """
        taken, self._damage = self._damage, []
        return taken

    def remove_consumed(self, position: Position) -> None:
        """Delete the segments before `position`, which is durable elsewhere; never the newest segment."""
        for number in segment_numbers(self._directory)[:-1]:
            if number < position.segment:
                segment_path(self._directory, number).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the open segment; reading again opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take(self, max_bytes: int) -> list[Record]:
        if not self._open():
            return []
        records: list[Record] = []
        left = max_bytes
        while (record := self._next(left if records else None)) is not None:
            records.append(record)
            left -= len(record.body)
        return records

    def _pass_damage(self) -> bool:
        """Report what is damaged at the position of a finished segment; whether reading goes on in that segment."""
        if self._file is None:
            if not self._open(with_damaged_header=True):
                return False
            self._report_damage(0)
            return True
        if os.fstat(self._file).st_size <= self._offset:
            return False
        with mmap.mmap(self._file, 0, access=mmap.ACCESS_READ) as data:
            if not has_content(data, self._offset):
                return False
            after = next_intact(data, self._offset, 0 if self._sequence is None else self._sequence + 1)
            if after is not None or not is_unfinished(data):
                self._report_damage(self._offset)
        if after is None:
            return False
        self._offset, self._sequence = after, None
        return True

    def _report_damage(self, offset: int) -> None:
        path = segment_path(self._directory, self._segment)
        self._damage.append(DamagedSegment(path, Position(self._segment, offset)))

    def _open(self, *, with_damaged_header: bool = False) -> bool:
        """Open the segment of the position; False while it is missing or has no valid header."""
        if self._file is not None:
            return True
        path = segment_path(self._directory, self._segment)
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            valid = is_segment(os.pread(file, SEGMENT_HEADER_BYTES, 0), path)
        except JournalVersionError:
            os.close(file)
            raise
        if not valid and not with_damaged_header:
            os.close(file)
            return False
        self._file, self._file_bytes = file, os.fstat(file).st_size
        self._offset = max(self._offset, SEGMENT_HEADER_BYTES)
        return True

    def _next(self, max_bytes: int | None) -> Record | None:
        """The record at the position, moving there, if it is intact and not above `max_bytes`."""
        assert self._file is not None
        header = parse_header(os.pread(self._file, RECORD_HEADER_BYTES, self._offset))
        if header is None or (max_bytes is not None and header.length > max_bytes):
            return None
        start = self._offset + RECORD_HEADER_BYTES
        if start + header.length > self._file_bytes or self._sequence not in (None, header.sequence):
            return None
        body = os.pread(self._file, header.length, start)
        if not is_intact(header, body):
            return None
        signal = self._signal(header.signal)
        self._sequence = header.sequence + 1
        self._offset = start + header.length
        address = None
        if header.flags & HAS_ADDRESS:
            address, body = without_address(body)
        return Record(signal, header.received_at_ns, body, self.position, address)

    def _signal(self, number: int) -> Signal:
        try:
            return Signal(number)
        except ValueError as error:
            raise JournalVersionError(
                f"{segment_path(self._directory, self._segment)} has a record of the unknown signal "
                f"{number}: start the newer Spandeck that wrote it."
            ) from error

    def _following(self) -> int | None:
        """The segment to go on with once this one has nothing more; None while this is the last."""
        numbers = segment_numbers(self._directory)
        later = [number for number in numbers if number > self._segment]
        if later:
            return later[0]
        return numbers[0] if numbers and self._segment not in numbers else None

    def _move(self, position: Position) -> None:
        self.close()
        self._segment, self._offset = position
        self._sequence = None
