"""Of equal calls that are under way at the same time, one is made and all get its outcome."""

import asyncio
import contextvars
import os
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import TypeVar

from spandeck.optimizer.process_lock import ProcessLock

_Value = TypeVar("_Value")
_Key = tuple[int, str]

_leading: contextvars.ContextVar[frozenset[tuple[int, _Key]]] = contextvars.ContextVar(
    "spandeck-leading", default=frozenset()
)


class SingleFlight:
    """Calls by key, shared by threads and tasks. An exception of the one call is everybody's; a cancellation is not.

    A call that asks for its own key again, from inside itself, runs at once instead of waiting for itself; so does
    a plain call on the thread of an event loop, which must not be held up.
    """

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._flights: dict[_Key, Future[object]] = {}

    def call(self, key: str, make: Callable[[], _Value]) -> _Value:
        """`make()`, or the outcome of the call under `key` that is under way."""
        own = (os.getpid(), key)
        while True:
            flight, leads = self._join(own)
            if leads:
                with self._flying(own, flight):
                    value = make()
                self._land(own, flight)
                flight.set_result(value)
                return value
            if _on_event_loop():
                return make()
            try:
                return flight.result()  # type: ignore[return-value]
            except CancelledError:
                continue

    async def acall(self, key: str, make: Callable[[], Awaitable[_Value]]) -> _Value:
        """As `call`, awaiting `make()`; a task that waits can be cancelled without harm to the others."""
        own = (os.getpid(), key)
        while True:
            flight, leads = self._join(own)
            if leads:
                with self._flying(own, flight):
                    value = await make()
                self._land(own, flight)
                flight.set_result(value)
                return value
            await _landing(flight)
            if not flight.cancelled():
                return flight.result()  # type: ignore[return-value]

    def _join(self, key: _Key) -> tuple[Future[object], bool]:
        if (id(self), key) in _leading.get():
            return Future(), True
        with self._lock:
            if (flight := self._flights.get(key)) is not None:
                return flight, False
            flight = self._flights[key] = Future()
            return flight, True

    @contextmanager
    def _flying(self, key: _Key, flight: Future[object]) -> Iterator[None]:
        token = _leading.set(_leading.get() | {(id(self), key)})
        try:
            yield
        except BaseException as error:
            self._land(key, flight)
            if isinstance(error, Exception):
                flight.set_exception(error)
            else:
                flight.cancel()
            raise
        finally:
            _leading.reset(token)

    def _land(self, key: _Key, flight: Future[object]) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _landing(flight: Future[object]) -> None:
    """Wait until `flight` has an outcome, of whatever kind; its thread may outlive this event loop."""
    landed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake(_: Future[object]) -> None:
        try:
            loop.call_soon_threadsafe(landed.set)
        except RuntimeError:
            return

    flight.add_done_callback(wake)
    await landed.wait()
