"""How much of a disk is free, asked at most once a second."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

_ASK_EVERY_S = 1.0


class FreeSpace:
    """Whether the disk of `folder` has at least `floor_bytes` free; for any thread."""

    def __init__(self, folder: Path, floor_bytes: int) -> None:
        """A floor of 0 is always kept."""
        self.floor_bytes = floor_bytes
        self.free_bytes = floor_bytes
        self._folder = folder
        self._asked_at = -_ASK_EVERY_S

    def is_short(self) -> bool:
        """Whether less than the floor is free; a disk that does not tell is not short."""
        if self.floor_bytes == 0:
            return False
        now = time.monotonic()
        if now - self._asked_at >= _ASK_EVERY_S:
            self._asked_at = now
            try:
                self.free_bytes = shutil.disk_usage(self._folder).free
            except OSError:
                self.free_bytes = self.floor_bytes
        return self.free_bytes < self.floor_bytes
