"""How long records wait for the store: the store leaves its position in a file, the writer compares."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from spandeck_collector.journal_format import Position, segment_numbers, segment_path

_FILE = "stored"
_WIDTH = 64
_LOOK_EVERY_S = 1.0
_MOST_ENTRIES = 1000


class StoredMark:
    """The store's side: writes down up to where everything is stored. Not synced: an older mark only delays."""

    def __init__(self, directory: Path) -> None:
        """The file stands in the journal's `directory`."""
        self._file = os.open(directory / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, position: Position) -> None:
        """Everything before `position` is stored."""
        text = f"{position.segment} {position.offset}".ljust(_WIDTH - 1) + "\n"
        os.pwrite(self._file, text.encode(), 0)


def stored_mark(directory: Path) -> Position:
    """The store's position as it last told; the beginning where it told none."""
    try:
        words = (directory / _FILE).read_bytes().split()
    except OSError:
        words = []
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return Position(0, 0)
    return Position(int(words[0]), int(words[1]))


class _Written(NamedTuple):
    at_s: float
    end: Position


class Backlog:
    """The writer's side: since when records wait. For any thread."""

    def __init__(self, directory: Path, limit_s: float) -> None:
        """A limit of 0 is none. Segments that an earlier writer left count since their last change."""
        self._directory = directory
        self.limit_s = limit_s
        self._step_s = max(_LOOK_EVERY_S, limit_s / _MOST_ENTRIES)
        self._waiting: deque[_Written] = deque()
        self._lock = threading.Lock()
        self._looked_at_s = -_LOOK_EVERY_S
        if limit_s:
            self._add_leftover()

    def add(self, end: Position) -> None:
        """Records up to `end` are on disk now."""
        if not self.limit_s:
            return
        now = time.monotonic()
        with self._lock:
            if self._waiting and now - self._waiting[-1].at_s < self._step_s:
                self._waiting[-1] = self._waiting[-1]._replace(end=end)
            else:
                self._waiting.append(_Written(now, end))

    def is_late(self) -> bool:
        """Whether a record has waited longer than the limit."""
        if not self.limit_s or not self._waiting:
            return False
        now = time.monotonic()
        with self._lock:
            if now - self._looked_at_s >= _LOOK_EVERY_S:
                self._looked_at_s = now
                mark = stored_mark(self._directory)
                while self._waiting and self._waiting[0].end <= mark:
                    self._waiting.popleft()
            return bool(self._waiting) and now - self._waiting[0].at_s > self.limit_s

    def _add_leftover(self) -> None:
        numbers = segment_numbers(self._directory)
        behind = [number for number in numbers[:-1] if number >= stored_mark(self._directory).segment]
        if behind:
            age_s = max(time.time() - segment_path(self._directory, behind[0]).stat().st_mtime, 0.0)
            # Where the records of the last segment end is not known: the store has come near when it is there.
            self._waiting.append(_Written(time.monotonic() - age_s, Position(numbers[-1], 0)))
