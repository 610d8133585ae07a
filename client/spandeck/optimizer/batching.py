"""Many small calls of one kind made as few: those that come within a moment of each other travel together."""

import asyncio
import inspect
import os
import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar, cast

from spandeck.optimizer.process_lock import ProcessLock

DEFAULT_SIZE: Final = 32
DEFAULT_WAIT_S: Final = 0.01

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(eq=False)
class _Batch(Generic[_Item]):
    """Items on their way; `full` is an event of threads or of one event loop, as are those who wait for it."""

    full: threading.Event | asyncio.Event
    items: list[_Item] = field(default_factory=list)
    waiting: list[Future[Any]] = field(default_factory=list)


class MicroBatch(Generic[_Item, _Answer]):
    """Calls `run(items)` with up to `size` items that came within `wait_s` seconds, and gives each its own answer.

    `run` is a function or a coroutine function that returns one answer an item, in their order; an `Exception` among
    them is raised for its item alone, and what `run` itself raises is raised for all. Items are alike where
    `key(item)` is equal, such as the model they are for; only those travel together. `call` serves threads and
    `acall` tasks. There is no thread behind it: the first caller of a batch waits for the others and makes the call
    in its own context, so that the span of the batch stands below its request.
    """

    def __init__(
        self,
        run: Callable[[list[_Item]], Any],
        size: int = DEFAULT_SIZE,
        wait_s: float = DEFAULT_WAIT_S,
        *,
        key: Callable[[_Item], Hashable] | None = None,
    ) -> None:
        """Raises `ValueError` for a size below 1 or a negative wait."""
        if size < 1 or not wait_s >= 0:
            raise ValueError(f"size is {size} and wait_s {wait_s}: give a size of at least 1 and no negative wait.")
        self._run, self._size, self._wait_s, self._key = run, size, wait_s, key
        self._is_async = inspect.iscoroutinefunction(run)
        self._lock = ProcessLock()
        self._open: dict[Hashable, _Batch[_Item]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def call(self, item: _Item) -> _Answer:
        """The answer for `item`; raises what `run` raised, or `TypeError` where `run` is a coroutine function."""
        if self._is_async:
            raise TypeError("The function of this batch is asynchronous: use `await batch.acall(item)`.")
        batch, answer, leads = self._join(item, None)
        if leads:
            try:
                cast("threading.Event", batch.full).wait(self._wait_s)
                self._close(batch)
                _deliver(batch.waiting, self._run(batch.items))
            except BaseException as error:
                self._close(batch)
                _fail(batch.waiting, error)
                if not isinstance(error, Exception):
                    raise
        return cast("_Answer", answer.result())

    async def acall(self, item: _Item) -> _Answer:
        """As `call`, among the tasks of one event loop; a plain `run` is called in another thread.

        A task that is cancelled while it waits leaves the others their answers.
        """
        loop = asyncio.get_running_loop()
        batch, answer, leads = self._join(item, loop)
        if leads:
            task = loop.create_task(self._lead(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return cast("_Answer", await asyncio.wrap_future(answer))

    async def _lead(self, batch: _Batch[_Item]) -> None:
        try:
            try:
                async with asyncio.timeout(self._wait_s):
                    await cast("asyncio.Event", batch.full).wait()
            except TimeoutError:
                pass
            self._close(batch)
            answers = await (self._run(batch.items) if self._is_async else asyncio.to_thread(self._run, batch.items))
            _deliver(batch.waiting, answers)
        except BaseException as error:
            self._close(batch)
            _fail(batch.waiting, error)
            if not isinstance(error, Exception):
                raise

    def _join(self, item: _Item, loop: asyncio.AbstractEventLoop | None) -> tuple[_Batch[_Item], Future[Any], bool]:
        """A place in the open batch of the item's kind; true for the one who opened it and has to make the call."""
        kind = None if self._key is None else self._key(item)
        name = (os.getpid(), loop, kind)
        answer: Future[Any] = Future()
        with self._lock:
            batch = self._open.get(name)
            leads = batch is None
            if batch is None:
                batch = self._open[name] = _Batch(threading.Event() if loop is None else asyncio.Event())
            batch.items.append(item)
            batch.waiting.append(answer)
            if len(batch.items) >= self._size:
                del self._open[name]
                batch.full.set()
        return batch, answer, leads

    def _close(self, batch: _Batch[_Item]) -> None:
        """Let nobody join any more."""
        with self._lock:
            for name in [name for name, other in self._open.items() if other is batch]:
                del self._open[name]


def _deliver(waiting: list[Future[Any]], answers: Iterable[Any]) -> None:
    """Raises `ValueError` where the answers are not as many as the items."""
    given = list(answers)
    if len(given) != len(waiting):
        raise ValueError(
            f"The function of the batch returned {len(given)} answers for {len(waiting)} items: return one each."
        )
    for future, answer in zip(waiting, given, strict=True):
        if future.set_running_or_notify_cancel():
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


def _fail(waiting: list[Future[Any]], error: BaseException) -> None:
    """An interruption of the first caller is its own: the others are told that nobody made the call."""
    told = error if isinstance(error, Exception) else RuntimeError("The batch was interrupted before its call ended.")
    for future in waiting:
        if not future.done() and future.set_running_or_notify_cancel():
            future.set_exception(told)
