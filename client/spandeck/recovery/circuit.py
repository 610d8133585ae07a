"""A circuit breaker: what keeps failing is left alone for a while, then probed by one call."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from spandeck.forking import after_fork_in_child


class CircuitOpenError(Exception):
    """The call was not made: its target failed too often just now. `retry_in_s` is when it is probed again."""

    def __init__(self, target: Hashable, retry_in_s: float) -> None:
        super().__init__(
            f"Circuit of {target!r} is open for another {retry_in_s:.1f} s after repeated failures: "
            "wait, or give the agent a fallback."
        )
        self.target = target
        self.retry_in_s = retry_in_s


@dataclass
class _Circuit:
    failures: int = 0
    opened_at: float | None = None
    probing_since: float | None = None


class CircuitBreaker:
    """One circuit per target, such as (provider, model); safe between threads, for sync and async calls alike.

    After `failures` failures in a row a circuit opens for `reset` seconds; then one call may probe it, and its
    outcome closes or opens it again. A probe that never tells its outcome is given up after `reset` seconds.
    """

    def __init__(self, failures: int = 5, reset: float = 30.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `ValueError` for less than one failure or a negative time."""
        if failures < 1 or reset < 0:
            raise ValueError(
                f"CircuitBreaker(failures={failures}, reset={reset}) is impossible: failures must be at least 1, "
                "reset at least 0 seconds."
            )
        self._failures = failures
        self._reset_s = reset
        self._clock = clock
        self._circuits: dict[Hashable, _Circuit] = {}
        self._renew_lock()
        after_fork_in_child(self._renew_lock)

    def check(self, target: Hashable) -> None:
        """Raises `CircuitOpenError` where `target` must be left alone; else the call may be made."""
        with self._lock:
            circuit = self._circuits.get(target)
            if circuit is None or circuit.opened_at is None:
                return
            now = self._clock()
            since = circuit.opened_at if circuit.probing_since is None else circuit.probing_since
            if now < since + self._reset_s:
                raise CircuitOpenError(target, since + self._reset_s - now)
            circuit.probing_since = now

    def succeeded(self, target: Hashable) -> None:
        """A call of `target` succeeded: its circuit closes."""
        with self._lock:
            self._circuits.pop(target, None)

    def failed(self, target: Hashable) -> None:
        """A call of `target` failed; at the bound, or as a probe, its circuit opens."""
        with self._lock:
            circuit = self._circuits.setdefault(target, _Circuit())
            circuit.failures += 1
            if circuit.failures >= self._failures or circuit.probing_since is not None:
                circuit.opened_at, circuit.probing_since = self._clock(), None

    def released(self, target: Hashable) -> None:
        """A call of `target` ended without telling anything about it, such as by cancellation."""
        with self._lock:
            if (circuit := self._circuits.get(target)) is not None:
                circuit.probing_since = None

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()
