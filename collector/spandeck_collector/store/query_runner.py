"""Runs one checked query with a deadline: interrupted when it passes or when the asker has gone.

What no interrupt ends, and what takes memory that DuckDB does not count, ends with the process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn, Protocol

import duckdb

from spandeck_collector.settings import Settings
from spandeck_collector.store.answers import JSON_TYPE, Caps, arrow_answer, json_answer
from spandeck_collector.store.database import EXIT_FATAL_DATABASE
from spandeck_collector.store.query_gate import QueryError, check

EXIT_STUCK_QUERY = 75
"""Exit code of a store that ended itself because of a query that could not be stopped; it is started again."""

_GRACE_S = 3.0
_REMEMBERED_TEXTS = 512
_LONG_TEXT = 20_000
_LOOK_S = 0.05
_WAIT_FOR_TURN_S = 2.0
_HEADROOM_BYTES = 1 << 30
_STATM = Path("/proc/self/statm")


class Asker(Protocol):
    """Who waits for an answer."""

    def is_gone(self) -> bool:
        """Whether the connection is closed."""

    def tell(self, error: QueryError) -> None:
        """Answer with an error now, because the process ends."""


class QueryRunner:
    """Answers queries on cursors of one connection, a few at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self._connection = connection
        self._timeout_s = settings.query_timeout_s
        self._caps = Caps(settings.query_max_rows, settings.query_max_bytes)
        self._turns = threading.BoundedSemaphore(settings.query_concurrency)
        self._concurrency = settings.query_concurrency
        # Twice the limit: ingestion and the columns of an answer live beside what DuckDB counts.
        self._most_bytes = 2 * settings.memory_limit_bytes + _HEADROOM_BYTES
        # What may be run does not change while the store runs, and pages send the same texts again and again.
        self._check_once = lru_cache(maxsize=_REMEMBERED_TEXTS)(self._check)

    def run(self, sql: str, params: Sequence[Any], content_type: str, asker: Asker) -> bytes:
        """The encoded answer.

        Raises `QueryError`: 400, 403, 408 past the deadline, 413 over a cap, 429 when all turns are taken.
        """
        if not self._turns.acquire(timeout=_WAIT_FOR_TURN_S):
            raise QueryError(
                429, f"{self._concurrency} queries run already (SPANDECK_QUERY_CONCURRENCY): try again in a moment."
            )
        try:
            return self._answer(sql, params, content_type, asker)
        finally:
            self._turns.release()

    def _answer(self, sql: str, params: Sequence[Any], content_type: str, asker: Asker) -> bytes:
        cursor = self._connection.cursor()
        watch = _Watch(cursor, self._timeout_s, self._most_bytes, asker)
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

    def __init__(self, cursor: duckdb.DuckDBPyConnection, timeout_s: float, most_bytes: int, asker: Asker) -> None:
        self._cursor = cursor
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._most_bytes = most_bytes
        self._asker = asker
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
            if _resident_bytes() > self._most_bytes:
                gigabytes = self._most_bytes / 1e9
                self._give_up(413, f"The query took the store above {gigabytes:.1f} GB: ask for less at once.")
            if time.monotonic() > self._deadline:
                self.timed_out = True
                self._interrupt()
                return
            if self._asker.is_gone():
                self._interrupt()
                return

    def _interrupt(self) -> None:
        self._cursor.interrupt()
        deadline = time.monotonic() + _GRACE_S
        # A few operators do not look at the interrupt; then only a new process frees the memory they take.
        while not self._done.wait(_LOOK_S):
            if time.monotonic() > deadline or _resident_bytes() > self._most_bytes:
                sentence = f"The query did not end within {self._timeout_s:g} s (SPANDECK_QUERY_TIMEOUT_S): narrow it."
                self._give_up(408, sentence)

    def _give_up(self, status: int, sentence: str) -> NoReturn:
        self._asker.tell(QueryError(status, sentence))
        _end(EXIT_STUCK_QUERY, f"{sentence} The store ends to be started again.")


def _resident_bytes() -> int:
    """The memory of this process; 0 where the system does not tell."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _end(code: int, sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr, flush=True)
    os._exit(code)
