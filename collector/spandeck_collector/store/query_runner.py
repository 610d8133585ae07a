"""Runs one checked query with a deadline: interrupted when it passes or when the asker has gone."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import duckdb

from spandeck_collector.settings import Settings
from spandeck_collector.store.answers import JSON_TYPE, Caps, arrow_answer, json_answer
from spandeck_collector.store.database import EXIT_FATAL_DATABASE
from spandeck_collector.store.query_gate import QueryError, check

EXIT_STUCK_QUERY = 75
"""Exit code of a store that ended itself because a query did not heed its interrupt; it is started again."""

_GRACE_S = 3.0
_REMEMBERED_TEXTS = 512
_LONG_TEXT = 20_000
_LOOK_S = 0.05
_WAIT_FOR_TURN_S = 2.0


class QueryRunner:
    """Answers queries on cursors of one connection, a few at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self._connection = connection
        self._timeout_s = settings.query_timeout_s
        self._caps = Caps(settings.query_max_rows, settings.query_max_bytes)
        self._turns = threading.BoundedSemaphore(settings.query_concurrency)
        self._concurrency = settings.query_concurrency
        # What may be run does not change while the store runs, and pages send the same texts again and again.
        self._check_once = lru_cache(maxsize=_REMEMBERED_TEXTS)(self._check)

    def run(self, sql: str, params: Sequence[Any], content_type: str, gone: Callable[[], bool]) -> bytes:
        """The encoded answer; `gone` says whether the asker has closed the connection.

        Raises `QueryError`: 400, 403, 408 past the deadline, 413 over a cap, 429 when all turns are taken.
        """
        if not self._turns.acquire(timeout=_WAIT_FOR_TURN_S):
            raise QueryError(
                429, f"{self._concurrency} queries run already (SPANDECK_QUERY_CONCURRENCY): try again in a moment."
            )
        try:
            return self._answer(sql, params, content_type, gone)
        finally:
            self._turns.release()

    def _answer(self, sql: str, params: Sequence[Any], content_type: str, gone: Callable[[], bool]) -> bytes:
        cursor = self._connection.cursor()
        watch = _Watch(cursor, self._timeout_s, gone)
        try:
            (self._check_once if len(sql) < _LONG_TEXT else self._check)(sql)
            cursor.execute("begin transaction read only")
            with watch:
                result = cursor.execute(sql, list(params))
                return (json_answer if content_type == JSON_TYPE else arrow_answer)(result, self._caps)
        except (duckdb.FatalException, duckdb.InternalException) as error:
            _end(EXIT_FATAL_DATABASE, f"A query broke the open database, the store ends to be started again: {error}")
        except duckdb.Error as error:
            if watch.timed_out:
                raise QueryError(
                    408,
                    f"The query ran longer than {self._timeout_s:g} s (SPANDECK_QUERY_TIMEOUT_S): narrow its range.",
                ) from error
            raise QueryError(400, str(error)) from error
        finally:
            cursor.close()

    def _check(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            check(cursor, sql)


class _Watch:
    """A thread beside a running query."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, timeout_s: float, gone: Callable[[], bool]) -> None:
        self._cursor = cursor
        self._deadline = time.monotonic() + timeout_s
        self._gone = gone
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="query-watch", daemon=True)
        self.timed_out = False

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_LOOK_S):
            if time.monotonic() > self._deadline:
                self.timed_out = True
                self._interrupt()
                return
            if self._gone():
                self._interrupt()
                return

    def _interrupt(self) -> None:
        # A few operators do not look at the interrupt; then only a new process frees the memory they take.
        self._cursor.interrupt()
        if not self._done.wait(_GRACE_S):
            _end(EXIT_STUCK_QUERY, "A query did not heed its interrupt: the store ends to be started again.")


def _end(code: int, sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr, flush=True)
    os._exit(code)
