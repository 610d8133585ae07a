"""Reads the journal from a position while another process writes it, and removes what has been consumed."""

from __future__ import annotations

import os
from pathlib import Path

from spandeck_collector.journal_format import (
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
)


class JournalReader:
    """Reads records in order, each once, beginning at `position`; one reader per journal, no locks.

    An invalid record is either half written or the torn end that a crash left. Both read as "nothing more
    yet". A segment counts as finished only when a later one was seen before a read that found nothing more,
    because a writer starts a segment after its last write to the one before.

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
            self._move(Position(following, 0))
        return records

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

    def _open(self) -> bool:
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
        if not valid:
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
        return Record(signal, header.received_at_ns, body, self.position)

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
