"""Cuts content into parts that texts with the same beginning share, and knows which parts are stored.

Agents send the whole conversation again at every turn. The cuts of a text depend only on what stands before them, so a
text that grew has the same parts up to its end, and each is stored once an hour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

HOUR_US = 3_600_000_000
GAP = "\n[… cut …]\n".encode()
"""Stands in the stored text where the middle of a text that is too long was left out."""

MOST_KNOWN = 100_000
"""Parts remembered in each of two generations; a hash takes about 150 bytes."""

WHOLE_BYTES = 1_024
"""A text of so many bytes is never cut into parts."""

_LEAST_BYTES = 512
_MOST_BYTES = 4_096
# Behind an object that another follows, or that is the last of a list at the end of the text or of a member: so the
# last message of a turn has the same part as in the next turn, where more follows.
_OBJECT_END = re.compile(rb"\}(?=\s{0,8}(?:,\s{0,8}\{|\]\s{0,8}(?:,\s{0,8}\"|\Z)|\]\s{0,8}\}\s{0,8}\Z))")
_LINE_END = re.compile(rb"\n")
_CONTINUES, _CONTINUATION = 0xC0, 0x80


def content_hash(data: bytes) -> str:
    """128 bits as 32 hex digits. Content is hostile, so the hash must be one that nobody can make collide."""
    return blake2b(data, digest_size=16).hexdigest()


def split(data: bytes) -> list[bytes]:
    """UTF-8 text in parts whose join is the text, cut between JSON objects, or between lines of what is not JSON.

    A part has at least 512 bytes (but the last) and at most 4,096; a text of up to 1,024 bytes is one part.
    """
    if len(data) <= WHOLE_BYTES:
        return [data]
    boundary = _OBJECT_END if data[:1] in (b"[", b"{") else _LINE_END
    parts, start, end = [], 0, len(data)
    while end - start > _LEAST_BYTES:
        found = boundary.search(data, start + _LEAST_BYTES, start + _MOST_BYTES)
        if found is None and end - start <= _MOST_BYTES:
            break
        stop = found.end() if found else character_start(data, start + _MOST_BYTES)
        parts.append(data[start:stop])
        start = stop
    return [*parts, data[start:]] if start < end else parts


def shorten(parts: list[bytes], most_bytes: int) -> list[bytes]:
    """Parts of at most `most_bytes` in all: the first and the last ones, with `GAP` between them.

    The beginning holds the instructions, the end what is new; whole parts are still shared with other texts.
    """
    half = most_bytes // 2
    head = _within(parts, half)
    tail = _within(reversed(parts), half)[::-1]
    if not head:
        head = [parts[0][: character_start(parts[0], half)]]
    if not tail:
        last = parts[-1]
        tail = [last[character_start(last, max(len(last) - half, 0), step=1) :]]
    return [part for part in (*head, GAP, *tail) if part]


def character_start(data: bytes, index: int, step: int = -1) -> int:
    """The nearest index from `index` on (backwards, or forwards with step 1) at which no UTF-8 character is cut."""
    while 0 < index < len(data) and data[index] & _CONTINUES == _CONTINUATION:
        index += step
    return index


def _within(parts: Iterable[bytes], most_bytes: int) -> list[bytes]:
    taken, used = [], 0
    for part in parts:
        used += len(part)
        if used > most_bytes:
            break
        taken.append(part)
    return taken


class KnownParts:
    """Hashes of the parts stored in the latest hour, as many as memory should hold; the longest unused go first."""

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._most = most
        self._hour_us = 0
        self._young: set[str] = set()
        self._old: set[str] = set()

    def has(self, hour_us: int, part_hash: str) -> bool:
        """Whether the part is stored for certain; False may also mean that it is not remembered."""
        if hour_us != self._hour_us:
            return False
        if part_hash in self._young:
            return True
        if part_hash in self._old:
            self._young.add(part_hash)
            return True
        return False

    def add(self, parts: Iterable[tuple[int, str]]) -> None:
        """Remember (hour, hash) of parts that are committed; a later hour takes the place of all."""
        for hour_us, part_hash in parts:
            if hour_us > self._hour_us:
                self._hour_us = hour_us
                self._young, self._old = set(), set()
            if hour_us == self._hour_us:
                self._young.add(part_hash)
                if len(self._young) >= self._most:
                    self._young, self._old = set(), self._young
