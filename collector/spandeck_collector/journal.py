"""The journal: all that stands between receiver and store. The receiver appends, the store reads.

`JournalWriter` acknowledges a record after `fdatasync` (group commit); `JournalReader` reads from a position.
The files are described in `journal_format.py`.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from spandeck_collector.free_space import FreeSpace
from spandeck_collector.journal_backlog import Backlog, stored_mark
from spandeck_collector.journal_damage import DamagedSegment
from spandeck_collector.journal_format import (
    SEGMENT_HEADER_BYTES,
    JournalError,
    JournalFullError,
    JournalLockedError,
    JournalVersionError,
    JournalWriteError,
    Position,
    Record,
    Signal,
    address_field,
    segment_numbers,
)
from spandeck_collector.journal_reader import JournalReader
from spandeck_collector.journal_segment import (
    Entry,
    Segment,
    create_segment,
    open_directory,
    segment_size,
)

__all__ = [
    "DamagedSegment",
    "JournalError",
    "JournalFullError",
    "JournalLockedError",
    "JournalReader",
    "JournalVersionError",
    "JournalWriteError",
    "JournalWriter",
    "Position",
    "Record",
    "Signal",
]

_WAITING_BYTES = 128 << 20
_HARDLY_USED_BYTES = 4096
_REST_S = 2.0


class JournalWriter:
    """Appends records durably, from any thread; one writer per journal, held by a lock.

    A thread takes whatever waits, writes it with one `pwritev`, syncs once and completes the futures. A new
    writer always starts a new segment, so a torn end is never followed by valid records. A failed write
    abandons its segment; the next records go to a new one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        segment_bytes: int,
        limit_bytes: int,
        waiting_bytes: int = _WAITING_BYTES,
        limit_s: float = 0,
        free_floor_bytes: int = 0,
    ) -> None:
        """Open the journal in `directory`, which is made; no segment is created before the first record.

        `limit_bytes` bounds the sizes of all segments together, `waiting_bytes` the records not yet on disk,
        `limit_s` how long a record may wait for the store, and of the disk `free_floor_bytes` are left free.
        `on_sync` may be set: it is told the seconds that each group of records took to be written and synced.
        Raises `JournalLockedError` if another process writes there, `OSError` for an unusable directory.
        """
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._limit_bytes = limit_bytes
        self._waiting_limit = waiting_bytes
        self._hardly_used_bytes = max(SEGMENT_HEADER_BYTES, min(_HARDLY_USED_BYTES, limit_bytes // 64))
        self._lock: int | None = open_directory(directory)
        self._may_rest = True
        self._backlog = Backlog(directory, limit_s)
        self._space = FreeSpace(directory, free_floor_bytes)
        self._segment: Segment | None = None
        self._waiting: list[Entry] = []
        self._unwritten_bytes = 0
        self._failure: JournalError | None = None
        self._closing = False
        self.on_sync: Callable[[float], None] = lambda _seconds: None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> JournalError | None:
        """Why the last write failed, or the next would be refused; None while writes succeed."""
        return self._failure or self._pressure()

    def size_bytes(self) -> int:
        """Bytes of all segments together."""
        return sum(self._sizes().values())

    def submit(self, signal: Signal, body: bytes, received_at_ns: int, address: str | None = None) -> Future[None]:
        """Append one record, sent from `address`; the future completes when it is on disk.

        The future raises `JournalFullError` or `JournalWriteError`; the record may then be read all the same,
        if the failure came late. Raises `ValueError` for an empty body.
        """
        if not body:
            raise ValueError("A journal record needs a body of at least one byte.")
        entry = Entry(signal, body, received_at_ns, Future(), address_field(address))
        with self._changed:
            error = self._refusal(entry)
            if error is None:
                self._waiting.append(entry)
                self._unwritten_bytes += entry.size
                self._changed.notify()
        if error is not None:
            entry.done.set_exception(error)
        return entry.done

    def close(self, timeout_s: float | None = None) -> None:
        """Write what waits, then stop; later submissions fail. Gives up on a stuck disk after `timeout_s`."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        if not self._thread.is_alive() and self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _refusal(self, entry: Entry) -> JournalError | None:
        if self._closing:
            return JournalWriteError("The journal is closed: send again when the receiver is back.")
        if self._unwritten_bytes and self._unwritten_bytes + entry.size > self._waiting_limit:
            return JournalFullError(
                f"{self._unwritten_bytes} bytes wait for the disk, at most {self._waiting_limit} may: "
                "send again, more slowly."
            )
        return self._pressure()

    def _pressure(self) -> JournalFullError | None:
        if self._backlog.is_late():
            return JournalFullError(
                f"What was received {self._backlog.limit_s:g} s ago (SPANDECK_JOURNAL_LIMIT_S) is not stored yet: "
                "send again when the store has caught up."
            )
        if self._space.is_short():
            return JournalFullError(
                f"The disk has {self._space.free_bytes} bytes free and at least {self._space.floor_bytes} are left "
                "(SPANDECK_FREE_SPACE_FLOOR_BYTES): send again when there is space."
            )
        return None

    def _run(self) -> None:
        while entries := self._take_waiting():
            try:
                while entries:
                    entries = self._commit_some(entries)
            except BaseException as error:
                # Without this thread every request would wait for ever.
                self._give_up(entries, error)
        self._leave_segment()

    def _give_up(self, entries: Sequence[Entry], error: BaseException) -> None:
        self._failure = JournalWriteError(f"Writing the journal in {self._directory} failed ({error!r}): send again.")
        self._segment = None
        with self._changed:
            self._unwritten_bytes -= sum(entry.size for entry in entries)
        for entry in entries:
            _complete(entry.done, self._failure)

    def _take_waiting(self) -> list[Entry]:
        """Everything that waits, at least one; [] when closing. In quiet times a segment that is stored is left."""
        while True:
            with self._changed:
                rest_s = _REST_S if self._may_rest else None
                if self._changed.wait_for(lambda: self._waiting or self._closing, rest_s):
                    entries, self._waiting = self._waiting, []
                    return entries
            self._rest()

    def _rest(self) -> None:
        """Once all of the newest segment is stored, begin an empty one: the reader never removes the newest."""
        numbers = segment_numbers(self._directory)
        if not numbers or (self._segment is None and self._sizes()[numbers[-1]] <= SEGMENT_HEADER_BYTES):
            self._may_rest = False
            return
        end = 0 if self._segment is None else self._segment.end
        if stored_mark(self._directory) >= Position(numbers[-1], end):
            self._leave_segment()
            with contextlib.suppress(OSError):
                create_segment(self._directory, numbers[-1] + 1, SEGMENT_HEADER_BYTES).close()

    def _commit_some(self, entries: list[Entry]) -> list[Entry]:
        """Commit, or fail, the first entries: those that fit in one segment; the others are returned."""
        count = 1
        error: JournalError | None = None
        try:
            segment = self._segment_for(entries[0].size)
            count = _fitting(entries, segment.room)
            began = time.perf_counter()
            segment.append(entries[:count])
            self.on_sync(time.perf_counter() - began)
            self._may_rest = True
            self._backlog.add(Position(segment.number, segment.end))
        except JournalFullError as full:
            error = full
        except Exception as failed:
            self._leave_segment()
            error = JournalWriteError(
                f"Writing the journal in {self._directory} failed ({failed}): "
                "free space or repair the disk, then send again."
            )
        self._failure = error
        with self._changed:
            self._unwritten_bytes -= sum(entry.size for entry in entries[:count])
        for entry in entries[:count]:
            _complete(entry.done, error)
        return entries[count:]

    def _segment_for(self, size: int) -> Segment:
        """The open segment if it has `size` bytes left, else a new one."""
        segment = self._segment
        if segment is not None and segment.room >= size:
            return segment
        needed = SEGMENT_HEADER_BYTES + size
        if segment is not None and segment.end <= self._hardly_used_bytes:
            used = sum(self._sizes().values()) - segment.room
            if used + needed > self._limit_bytes:
                raise self._full(used)
        self._leave_segment()
        self._segment = self._create_within_limit(needed)
        return self._segment

    def _leave_segment(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _sizes(self) -> dict[int, int]:
        """Bytes by segment, ascending."""
        return {number: segment_size(self._directory, number) for number in segment_numbers(self._directory)}

    def _create_within_limit(self, needed: int) -> Segment:
        sizes = self._sizes()
        newest = max(sizes, default=None)
        # An empty directory is numbered from the clock, so that a reader whose position is from before it
        # was emptied finds higher numbers.
        number = int(time.time()) if newest is None else newest + 1
        used = sum(sizes.values())
        free = self._limit_bytes - used
        if needed <= free:
            return create_segment(self._directory, number, min(max(self._segment_bytes, needed), free))
        if newest is not None and sizes[newest] > self._hardly_used_bytes:
            # The reader never removes the newest segment: an empty one lets it give up the last full one.
            create_segment(self._directory, number, SEGMENT_HEADER_BYTES).close()
        raise self._full(used)

    def _full(self, used: int) -> JournalFullError:
        return JournalFullError(
            f"The journal has {used} of at most {self._limit_bytes} bytes "
            "(SPANDECK_JOURNAL_LIMIT_BYTES): send again when the store has caught up."
        )


def _fitting(entries: Sequence[Entry], room: int) -> int:
    """How many of the first entries fit."""
    for count, entry in enumerate(entries):
        room -= entry.size
        if room < 0:
            return count
    return len(entries)


def _complete(done: Future[None], error: JournalError | None) -> None:
    if not done.set_running_or_notify_cancel():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
