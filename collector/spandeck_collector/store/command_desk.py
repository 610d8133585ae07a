"""Commands wait here until the writing thread takes them, one between two batches; each is recorded."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

import duckdb

from spandeck_collector.store.commands.command import Action, Beside, CommandError, Parameters
from spandeck_collector.store.commands.registry import read_command
from spandeck_collector.store.ingest import Ingest

_LOG = logging.getLogger(__name__)
_MOST_WAITING = 16
_PATIENCE_S = 10.0
_BUSY = "The store is busy and the command has not begun: try again in a moment."
_OTHER_RUNS = "Another export or backup runs: try again when it is done."
_INSERT = "insert into store.commands (name, parameters, outcome, ran_at) values (?, ?, ?, ?)"

Read = Callable[[str, Parameters], Action | Beside]
"""Finds a command by name and reads its parameters."""


@dataclass(frozen=True)
class _Order:
    name: str
    parameters: Parameters
    action: Action
    answer: Future[dict[str, Any]] = field(default_factory=Future)


class CommandDesk:
    """`ask` is for any thread; `run_next` and `close` for the one that owns `ingest`."""

    def __init__(
        self, ingest: Ingest, data_dir: Path, read: Read = read_command, patience_s: float = _PATIENCE_S
    ) -> None:
        """`patience_s` is how long a command may wait for its turn; once it has begun, its end is awaited."""
        self._ingest = ingest
        self._data_dir = data_dir
        self._read = read
        self._patience_s = patience_s
        self._orders: Queue[_Order] = Queue(_MOST_WAITING)
        self._one_beside = threading.Lock()
        self._beside: duckdb.DuckDBPyConnection | None = None

    @property
    def is_reading(self) -> bool:
        """Whether a command reads beside the writing thread for what may be long."""
        return self._beside is not None

    def ask(self, name: str, parameters: Parameters) -> dict[str, Any]:
        """The answer of a command, once it is committed.

        Raises `CommandError`: 400 or 404 for what was asked wrongly, 503 when its turn did not come or memory was
        short, 500 when it failed.
        """
        action = self._read(name, parameters)
        if not isinstance(action, Beside):
            return self._place(_Order(name, parameters, action), self._patience_s)
        if not self._one_beside.acquire(blocking=False):
            raise CommandError(503, _OTHER_RUNS)
        try:
            done = self._run_beside(name, action)
        finally:
            self._one_beside.release()
        return self._place(_Order(name, parameters, done), None)

    def _run_beside(self, name: str, action: Beside) -> Action:
        """Run it here; what comes of it is told, and recorded, by an action of the writing thread."""
        try:
            with self._ingest.connection.cursor() as connection:
                self._beside = connection
                outcome = action.run(connection, self._data_dir)
        except Exception as error:
            told = _told(name, error)

            def fail(_: Ingest) -> dict[str, Any]:
                raise told

            return fail
        finally:
            self._beside = None
        return lambda _: outcome

    def _place(self, order: _Order, patience_s: float | None) -> dict[str, Any]:
        try:
            self._orders.put_nowait(order)
            return self._answer(order, patience_s)
        except (Full, CancelledError):
            raise CommandError(503, _BUSY) from None

    def _answer(self, order: _Order, patience_s: float | None) -> dict[str, Any]:
        try:
            return order.answer.result(patience_s)
        except TimeoutError:
            if order.answer.cancel():
                raise CommandError(503, _BUSY) from None
            return order.answer.result()

    def run_next(self) -> bool:
        """Run the command that has waited longest; False when there is none.

        Raises `duckdb.FatalException` when the database must be opened anew.
        """
        try:
            order = self._orders.get_nowait()
        except Empty:
            return False
        if order.answer.set_running_or_notify_cancel():
            self._run(order)
        return True

    def close(self) -> None:
        """Let nobody wait for a turn that does not come."""
        beside = self._beside
        if beside is not None:
            beside.interrupt()
        while not self._orders.empty():
            self._orders.get_nowait().answer.cancel()

    def _run(self, order: _Order) -> None:
        try:
            order.answer.set_result(self._done(order))
        except duckdb.FatalException:
            order.answer.set_exception(CommandError(503, "The store must open its database anew: try again."))
            raise
        except Exception as error:
            told = _told(order.name, error)
            try:
                with self._ingest.transaction():
                    self._record(order, {"error": str(told)})
            finally:
                order.answer.set_exception(told)

    def _done(self, order: _Order) -> dict[str, Any]:
        with self._ingest.transaction():
            outcome = order.action(self._ingest)
            self._record(order, outcome)
        return outcome

    def _record(self, order: _Order, outcome: dict[str, Any]) -> None:
        # JSON in ASCII holds every text that JSON can spell; a database does not.
        texts = [json.dumps(value) for value in (order.parameters, outcome)]
        now = datetime.now(UTC).replace(tzinfo=None)
        self._ingest.connection.execute(_INSERT, [order.name, *texts, now])


def _told(name: str, error: Exception) -> CommandError:
    if isinstance(error, CommandError):
        return error
    if isinstance(error, duckdb.OutOfMemoryException):
        return CommandError(503, "Memory is short (SPANDECK_MEMORY_LIMIT) and nothing was changed: try again.")
    _LOG.error("The command %s failed", name, exc_info=error)
    return CommandError(500, f"The command {name} failed and nothing was changed: see the store's log.")
