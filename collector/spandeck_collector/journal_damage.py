"""Finds the way out of a damaged place in a journal segment that is no longer written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from mmap import mmap
from pathlib import Path
from typing import NamedTuple

from spandeck_collector.journal_format import (
    RECORD_HEADER_BYTES,
    Position,
    RecordHeader,
    Signal,
    is_intact,
    parse_header,
)

_AFTER_TIME = RECORD_HEADER_BYTES - 4  # where signal, flags and reserved stand in a record
_END_OF_HEADER = re.compile(b"[" + re.escape(bytes(Signal)) + rb"][\x00\x01]\x00\x00")
_CHECKED_TIMES = 4
_STEP_BYTES = 1 << 20


class DamagedSegment(NamedTuple):
    """A segment with bytes that cannot be read as records, and where those begin (offset 0: its header)."""

    path: Path
    position: Position


def next_intact(data: bytes | mmap, begin: int, sequence: int) -> int | None:
    """Where an intact record of at least `sequence` starts behind the unreadable one at `begin`; None: nowhere.

    The length of the unreadable record is tried first. Where that leads nowhere, every place that looks like a
    header is tried until the bytes checked are a few times the segment: what a sender wrote may look like many.
    """
    header = parse_header(data[begin : begin + RECORD_HEADER_BYTES])
    places = [begin + RECORD_HEADER_BYTES + header.length] if header else []
    left = _CHECKED_TIMES * len(data)
    for start in chain(places, _header_places(data, begin)):
        found = _plausible(data, start, sequence)
        if found is not None:
            left -= found.length
            if left < 0:
                return None
            body = start + RECORD_HEADER_BYTES
            if is_intact(found, data[body : body + found.length]):
                return start
    return None


def is_unfinished(data: bytes | mmap) -> bool:
    """Whether the segment still has its unused end, as a crash leaves it: a writer that stops cuts that off."""
    return not any(data[max(len(data) - RECORD_HEADER_BYTES, 0) :])


def has_content(data: bytes | mmap, begin: int) -> bool:
    """Whether anything but zeros stands at or behind `begin`."""
    return any(data[start : start + _STEP_BYTES].strip(b"\0") for start in range(begin, len(data), _STEP_BYTES))


def _header_places(data: bytes | mmap, begin: int) -> Iterator[int]:
    for match in _END_OF_HEADER.finditer(data, begin + 1 + _AFTER_TIME):
        yield match.start() - _AFTER_TIME


def _plausible(data: bytes | mmap, start: int, sequence: int) -> RecordHeader | None:
    header = parse_header(data[start : start + RECORD_HEADER_BYTES])
    if header is None or header.sequence < sequence:
        return None
    return header if start + RECORD_HEADER_BYTES + header.length <= len(data) else None
