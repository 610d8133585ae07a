"""The one deadline, and waiting for what will be so."""

import time
from collections.abc import Callable

DEADLINE_S = 60.0


def eventually(holds: Callable[[], bool], what: str | Callable[[], object] = "the condition to hold") -> None:
    """Poll until `holds` is true; fails with `what` (at that moment, if it is callable) at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"Waited {DEADLINE_S:g} s for {what() if callable(what) else what}."
        time.sleep(0.02)
