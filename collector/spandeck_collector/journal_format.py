"""The journal on disk: segment files `NNNNNNNNNNNN.journal` that hold length- and checksum-framed records.

A segment is preallocated and starts with a 16-byte header: magic (8), version u16, flags u16, CRC-32 of those
12 bytes. Records follow without gaps, all numbers little-endian:

    length u32 | crc u32 | sequence u64 | received_at_ns u64 | signal u8 | flags u8 | reserved u16 | body

`length` counts the body and is above 0, so the zeros of the unwritten rest read as "end so far". The CRC-32
covers everything of the record but itself. `sequence` counts from 0 inside a segment. Bit 0 of `flags` says that
the sender's address begins the body: its length in bytes u8, then ASCII; version 1 has none. `reserved` is 0.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

SUFFIX = ".journal"
VERSION = 2
_READABLE_VERSIONS = (1, VERSION)
HAS_ADDRESS = 1
_MAGIC = b"SPANDECK"
_SEGMENT_HEADER = struct.Struct("<8sHHI")
_RECORD_HEADER = struct.Struct("<IIQQBBH")
_AFTER_CRC = struct.Struct("<QQBBH")
SEGMENT_HEADER_BYTES = _SEGMENT_HEADER.size
RECORD_HEADER_BYTES = _RECORD_HEADER.size
_MOST_ADDRESS_BYTES = 64


class JournalError(Exception):
    """Base of what the journal raises; the text is one sentence for a person."""


class JournalFullError(JournalError):
    """The journal or its waiting queue has reached its limit: try again when the store has caught up."""


class JournalWriteError(JournalError):
    """The record is not on disk (disk full, I/O error, closed): try again later."""


class JournalLockedError(JournalError):
    """Another process writes to this journal."""


class JournalVersionError(JournalError):
    """An intact segment was written by a newer Spandeck than this one."""


class Signal(IntEnum):
    """What a record's body holds: an OTLP export request, or the receiver's own JSON about refusals."""

    TRACES = 1
    METRICS = 2
    LOGS = 3
    REFUSALS = 4


class Position(NamedTuple):
    """Where the next record starts: segment number, byte offset; ordered. `Position(0, 0)` is the start."""

    segment: int
    offset: int


class Record(NamedTuple):
    """One record: signal, when it was received (Unix ns), body, the position after it, and the sender's address."""

    signal: Signal
    received_at_ns: int
    body: bytes
    position: Position
    address: str | None = None


class RecordHeader(NamedTuple):
    """The fixed part of a record, as read; `length` counts the body's bytes."""

    length: int
    crc: int
    sequence: int
    received_at_ns: int
    signal: int
    flags: int
    reserved: int


def segment_path(directory: Path, number: int) -> Path:
    """The file of segment `number`."""
    return directory / f"{number:012d}{SUFFIX}"


def segment_numbers(directory: Path) -> list[int]:
    """The numbers of all segments, ascending; empty where the directory does not exist."""
    try:
        names = [entry.name for entry in directory.iterdir()]
    except FileNotFoundError:
        return []
    stems = (name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def segment_header() -> bytes:
    """The first bytes of a segment of this version."""
    start = struct.pack("<8sHH", _MAGIC, VERSION, 0)
    return start + struct.pack("<I", crc32(start))


def is_segment(header: bytes, path: Path) -> bool:
    """Whether `header` starts a readable segment; False for a damaged one.

    Raises `JournalVersionError` where it is intact and of a newer version.
    """
    if len(header) < SEGMENT_HEADER_BYTES:
        return False
    magic, version, _flags, crc = _SEGMENT_HEADER.unpack_from(header)
    if magic != _MAGIC or crc != crc32(header[: SEGMENT_HEADER_BYTES - 4]):
        return False
    if version not in _READABLE_VERSIONS:
        raise JournalVersionError(
            f"{path} has journal version {version} and this Spandeck reads up to version {VERSION}: "
            "start the newer Spandeck that wrote it."
        )
    return True


def record_header(sequence: int, signal: Signal, body: bytes, received_at_ns: int, address: bytes = b"") -> bytes:
    """The bytes that stand before `body`; `address` is what `address_field` gives."""
    length = len(address) + len(body)
    rest = _AFTER_CRC.pack(sequence, received_at_ns, signal, HAS_ADDRESS if address else 0, 0)
    return struct.pack("<II", length, _checksum(length, rest, address, body)) + rest + address


def address_field(address: str | None) -> bytes:
    """How a sender's address stands before a body; empty for none."""
    text = (address or "").encode("ascii", "replace")[:_MOST_ADDRESS_BYTES]
    return bytes([len(text)]) + text if text else b""


def without_address(body: bytes) -> tuple[str, bytes]:
    """Address and body of a record that `HAS_ADDRESS`."""
    end = 1 + body[0]
    return body[1:end].decode("ascii", "replace"), body[end:]


def parse_header(data: bytes) -> RecordHeader | None:
    """The header at the start of `data`; None where the file or the records end here."""
    if len(data) < RECORD_HEADER_BYTES:
        return None
    header = RecordHeader(*_RECORD_HEADER.unpack_from(data))
    return header if header.length else None


def is_intact(header: RecordHeader, body: bytes) -> bool:
    """Whether header and body are those that were written."""
    rest = _AFTER_CRC.pack(header.sequence, header.received_at_ns, header.signal, header.flags, header.reserved)
    return len(body) == header.length and header.crc == _checksum(header.length, rest, body)


def _checksum(length: int, rest: bytes, *parts: bytes) -> int:
    checksum = crc32(rest, crc32(length.to_bytes(4, "little")))
    for part in parts:
        checksum = crc32(part, checksum)
    return checksum
