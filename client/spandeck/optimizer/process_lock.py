"""A lock that a forked child finds free, whatever a thread of its parent was doing."""

import os
import threading
from types import TracebackType


class ProcessLock:
    """A reentrant lock for short sections, made anew in each process."""

    def __init__(self) -> None:
        self._process_id = os.getpid()
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        """Wait for the lock and take it."""
        if self._process_id != os.getpid():
            self._process_id, self._lock = os.getpid(), threading.RLock()
        self._lock.acquire()

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self._lock.release()
