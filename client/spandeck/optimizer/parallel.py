"""Independent calls side by side, never more than a limit, each with the context of the caller and its own outcome."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

DEFAULT_LIMIT: Final = 8

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[_Value]):
    """What became of one call: its `value`, or the `error` that it raised."""

    value: _Value | None = None
    error: Exception | None = None

    def result(self) -> _Value:
        """The value; raises the error of the call unchanged."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


def run_parallel(calls: Iterable[Callable[[], _Value]], limit: int = DEFAULT_LIMIT) -> list[Outcome[_Value]]:
    """Run `calls`, at most `limit` at a time, in threads; the outcomes come in the order of the calls.

    Only for calls that do not depend on each other. One that fails stops no other. Each runs in a copy of the
    caller's context, so its spans stand below the caller's. `BaseException`s of the calls, such as `SystemExit`, are
    raised when all are done. Raises `ValueError` for a limit below 1.
    """
    wanted = list(calls)
    _check(limit)
    if len(wanted) <= 1 or limit == 1:
        return [contextvars.copy_context().run(_outcome, call) for call in wanted]
    with ThreadPoolExecutor(min(limit, len(wanted)), thread_name_prefix="spandeck-parallel") as pool:
        try:
            started: list[Future[Outcome[_Value]]] = [
                pool.submit(contextvars.copy_context().run, _outcome, call) for call in wanted
            ]
            return [future.result() for future in started]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


async def arun_parallel(
    calls: Iterable[Callable[[], Awaitable[_Value]]], limit: int = DEFAULT_LIMIT
) -> list[Outcome[_Value]]:
    """As `run_parallel`, for functions that return awaitables; cancelling it cancels those under way."""
    wanted = list(calls)
    _check(limit)
    free = asyncio.Semaphore(limit)

    async def run(call: Callable[[], Awaitable[_Value]]) -> Outcome[_Value]:
        async with free:
            try:
                return Outcome(await call())
            except Exception as error:
                return Outcome(error=error)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(call)) for call in wanted]
    return [task.result() for task in tasks]


def _outcome(call: Callable[[], _Value]) -> Outcome[_Value]:
    try:
        return Outcome(call())
    except Exception as error:
        return Outcome(error=error)


def _check(limit: int) -> None:
    if limit < 1:
        raise ValueError(f"limit is {limit}: at least 1 call must be allowed to run.")
