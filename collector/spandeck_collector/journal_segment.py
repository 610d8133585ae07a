"""File operations of the journal's writer: create, append, give back; all are durable when they return."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from spandeck_collector.journal_format import (
    RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    SUFFIX,
    JournalLockedError,
    Signal,
    record_header,
    segment_header,
    segment_path,
)

_BUFFERS_A_WRITE = 1000  # below IOV_MAX, which is 1024 on Linux
_TEMPORARY = ".new"
_NO_FALLOCATE = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)
_sync_data = getattr(os, "fdatasync", os.fsync)


class Entry(NamedTuple):
    """A record on its way to disk, and the future that tells of it."""

    signal: Signal
    body: bytes
    received_at_ns: int
    done: Future[None]
    address: bytes = b""

    @property
    def size(self) -> int:
        """Bytes in a segment."""
        return RECORD_HEADER_BYTES + len(self.address) + len(self.body)


class Segment:
    """An open segment; everything before `end` is on disk."""

    def __init__(self, file: int, number: int, size: int) -> None:
        """Begin after the header of a `file` of `size` bytes."""
        self.file = file
        self.number = number
        self.size = size
        self.end = SEGMENT_HEADER_BYTES
        self.sequence = 0

    @property
    def room(self) -> int:
        """Bytes left."""
        return self.size - self.end

    def append(self, entries: Sequence[Entry]) -> None:
        """Write and sync all; after an error the segment must be left, and none of them counts."""
        buffers: list[bytes] = []
        for sequence, entry in enumerate(entries, self.sequence):
            header = record_header(sequence, entry.signal, entry.body, entry.received_at_ns, entry.address)
            buffers += (header, entry.body)
        end = self.end
        for first in range(0, len(buffers), _BUFFERS_A_WRITE):
            end = _write(self.file, buffers[first : first + _BUFFERS_A_WRITE], end)
        _sync_data(self.file)
        self.end = end
        self.sequence += len(entries)

    def close(self) -> None:
        """Cut what was not used or not acknowledged, and close."""
        try:
            os.ftruncate(self.file, self.end)
        except OSError:
            pass  # the rest stays allocated, which only costs space
        finally:
            os.close(self.file)


def create_segment(directory: Path, number: int, size: int) -> Segment:
    """Preallocate a segment; it appears under its name only when it is whole. Raises `OSError`."""
    path = segment_path(directory, number)
    temporary = path.with_name(path.name + _TEMPORARY)
    file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _preallocate(file, size)
        _write(file, [segment_header()], 0)
        os.fsync(file)
        temporary.rename(path)
        _sync_directory(directory)
    except OSError:
        os.close(file)
        temporary.unlink(missing_ok=True)
        raise
    return Segment(file, number, size)


def segment_size(directory: Path, number: int) -> int:
    """Bytes that a segment takes; 0 where the reader has just removed it."""
    try:
        return segment_path(directory, number).stat().st_size
    except FileNotFoundError:
        return 0


def open_directory(directory: Path) -> int:
    """Make the directory the owner's alone, lock it for one writer and clear what a crash left half made.

    Returns the file that holds the lock until it is closed. Raises `JournalLockedError`, `OSError`.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    lock = os.open(directory / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise JournalLockedError(
            f"Another receiver writes to {directory}: stop it, or set SPANDECK_DATA_DIR to another directory."
        ) from error
    for leftover in directory.glob(f"*{SUFFIX}{_TEMPORARY}"):
        leftover.unlink(missing_ok=True)
    return lock


def _write(file: int, buffers: list[bytes], offset: int) -> int:
    """Write all buffers at `offset`; the offset after them."""
    end = offset + sum(map(len, buffers))
    offset += os.pwritev(file, buffers, offset)
    if offset < end:  # a disk that fills up takes a part, and tells why on the next write
        rest = b"".join(buffers)
        while offset < end:
            offset += os.pwrite(file, rest[offset - end :], offset)
    return end


def _preallocate(file: int, size: int) -> None:
    try:
        os.posix_fallocate(file, 0, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_FALLOCATE:
            raise
        os.ftruncate(file, size)


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
