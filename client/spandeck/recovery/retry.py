"""Trying again: exponential backoff with full jitter, a deadline, and the other side's own wish.

Full jitter (a wait drawn evenly from 0 to the cap of the try) spreads clients best; source: AWS Architecture Blog,
"Exponential Backoff And Jitter". Use one layer of retries only: switch the SDK's own off (`max_retries=0`).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from spandeck.recovery.failures import is_transient, retry_after_s

_Result = TypeVar("_Result")
# Not the module's own generator: forked workers would draw the same waits, and programs that seed it too.
_random = random.SystemRandom()


@dataclass(frozen=True)
class Retry:
    """How often and how long to try: at most `attempts` tries, none started after `deadline` seconds.

    The wait before try n+1 is drawn from 0 to `base * 2**(n-1)` seconds, `cap` at most, and is at least what the
    other side asked for. A wait that would pass the deadline is not begun. `retryable` says which errors may
    pass by themselves. Raises `ValueError` for bounds that allow no try.
    """

    attempts: int = 4
    deadline: float = 60.0
    base: float = 0.5
    cap: float = 30.0
    retryable: Callable[[BaseException], bool] = is_transient

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.deadline < 0 or self.base < 0 or self.cap < 0:
            raise ValueError(
                f"Retry(attempts={self.attempts}, deadline={self.deadline}, base={self.base}, cap={self.cap}) is "
                "impossible: attempts must be at least 1, the seconds at least 0."
            )

    def wait_s(self, error: BaseException, attempt: int, elapsed_s: float) -> float | None:
        """Seconds to wait after try number `attempt` (from 1) failed with `error`; None where it was the last.

        `elapsed_s` is the time since the first try began.
        """
        if attempt >= self.attempts or not self.retryable(error):
            return None
        drawn_s = _random.uniform(0.0, min(self.cap, self.base * 2.0 ** (attempt - 1)))
        wait_s = max(drawn_s, retry_after_s(error) or 0.0)
        return wait_s if elapsed_s + wait_s <= self.deadline else None

    def run(self, work: Callable[[int], _Result]) -> _Result:
        """Call `work(attempt)` with 1, 2, ... until it returns; its last error passes unchanged."""
        started = time.monotonic()
        for attempt in range(1, self.attempts + 1):
            try:
                return work(attempt)
            except Exception as error:
                wait_s = self.wait_s(error, attempt, time.monotonic() - started)
                if wait_s is None:
                    raise
            time.sleep(wait_s)
        raise AssertionError("wait_s allows no try after the last")

    async def arun(self, work: Callable[[int], Awaitable[_Result]]) -> _Result:
        """As `run`, awaiting `work(attempt)`."""
        started = time.monotonic()
        for attempt in range(1, self.attempts + 1):
            try:
                return await work(attempt)
            except Exception as error:
                wait_s = self.wait_s(error, attempt, time.monotonic() - started)
                if wait_s is None:
                    raise
            await asyncio.sleep(wait_s)
        raise AssertionError("wait_s allows no try after the last")


NO_RETRY = Retry(attempts=1)
