"""Remembers beyond the end of the process where in the journal the store began to store, and how often it did not end.

A record can end the process itself, by a crash in native code. Without this memory the store would start, read the
same record and die again, for ever. Only the supervisor knows how the process before ended: who was killed or asked to
end, or ended for a query, did not die of a record, and without a word of the supervisor nobody did.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from spandeck_collector.journal import Position

DEATHS_TO_SINGLE = 2
"""From so many deaths at one place on, records are stored one by one."""

DEATHS_TO_SET_ASIDE = 4
"""A record alone at a place of so many deaths is set aside."""

ENDED_WITH = "SPANDECK_STORE_ENDED_WITH"
"""The variable in which the supervisor tells how the store before ended: exit code, or minus the signal's number."""

_NO_CRASH = {0, 2, 75, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}

_WIDTH = 64


class Attempts:
    """One small file, written in place before every batch and not synced: it need not outlive the machine."""

    def __init__(self, path: Path, environ: Mapping[str, str] = os.environ) -> None:
        """Read what the last process left at `path`. Raises `OSError` where it cannot be written."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._position, self._count = _parsed(os.pread(self._file, _WIDTH, 0))
        if not _has_crashed(environ.get(ENDED_WITH, "")):
            self._count = max(self._count - 1, 0)

    def begin(self, position: Position) -> int:
        """Note that storing begins behind `position`; how often it began there before and did not get on."""
        deaths = self._count if position == self._position else 0
        self._write(position, deaths + 1)
        return deaths

    def forgive(self) -> None:
        """Not the record at hand was the reason: this attempt does not count."""
        self._write(self._position, max(self._count - 1, 0))

    def _write(self, position: Position, count: int) -> None:
        self._position, self._count = position, count
        text = f"{position.segment} {position.offset} {count}".ljust(_WIDTH - 1) + "\n"
        os.pwrite(self._file, text.encode(), 0)


def _has_crashed(ended_with: str) -> bool:
    return ended_with.removeprefix("-").isdigit() and int(ended_with) not in _NO_CRASH


def _parsed(text: bytes) -> tuple[Position, int]:
    words = text.split()
    if len(words) != 3 or not all(word.isdigit() for word in words):
        return Position(-1, 0), 0
    segment, offset, count = map(int, words)
    return Position(segment, offset), count
