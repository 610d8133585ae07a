"""The sample traces on demand: `spandeck replay` as a process of its own, one at a time for all visitors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

_LAST_WORDS = 2_000


class SampleReplay:
    """Starts the replay and tells how it goes; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._failure = ""

    def start(self) -> None:
        """Start it, unless it runs."""
        with self._lock:
            if self.is_running:
                return
            self._failure = ""
            command = _command()
            if command is None:
                self._failure = (
                    "The command spandeck is not installed beside this page: run `spandeck replay` yourself."
                )
                return
            self._process = subprocess.Popen(
                [command, "replay"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ.copy(),
            )

    @property
    def is_running(self) -> bool:
        """Whether traces are being sent."""
        return self._process is not None and self._process.poll() is None

    def failure(self) -> str:
        """Why the last replay failed, in its own words; empty while it runs and after a good end."""
        process = self._process
        if process is not None and not self.is_running:
            with self._lock:
                said = process.stderr.read()[-_LAST_WORDS:].strip() if process.stderr else ""
                if process.returncode:
                    self._failure = said or f"spandeck replay ended with code {process.returncode}."
                self._process = None
        return self._failure


def _command() -> str | None:
    beside = Path(sys.executable).with_name("spandeck")
    return str(beside) if beside.exists() else shutil.which("spandeck")


SAMPLES = SampleReplay()
