"""Requests that failed for good, kept in a SQLite file until they are replayed."""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spandeck import attributes
from spandeck.attributes import logger
from spandeck.requests import Request
from spandeck.telemetry import request
from spandeck_schema import semantic_conventions as names

_SCHEMA = """
create table if not exists dead_letters (
    id integer primary key autoincrement,
    agent text not null,
    payload text not null,
    error_type text not null,
    message text not null,
    attempt integer not null,
    trace_id text,
    span_id text,
    failed_at real not null,
    next_at real not null
)
"""
_COLUMNS = "id, agent, payload, error_type, message, attempt, trace_id, span_id, failed_at, next_at"
_BUSY_TIMEOUT_S = 2.0
_LONGEST_WAIT_S = 86_400.0


@dataclass(frozen=True)
class DeadLetter:
    """A request that failed: `attempt` counts how often it was given up, times are seconds since 1970 UTC."""

    id: int
    agent: str
    payload: Mapping[str, object]
    error_type: str
    message: str
    attempt: int
    trace_id: str | None
    span_id: str | None
    failed_at: float
    next_at: float


@dataclass(frozen=True)
class ReplayReport:
    """What a replay did: letters that succeeded and are gone, and those that failed again and wait."""

    succeeded_count: int
    failed_count: int


class DeadLetters:
    """A bounded queue of failed requests in one file, for threads, processes and restarts alike.

    What is kept is redacted by `redact` first, field by field; the file is readable by its owner alone. Beyond
    `most_letters` the oldest go. A connection is opened for each use, so that a fork is safe.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        redact: Callable[[str], str] | None = None,
        most_letters: int = 10_000,
        first_wait: float = 60.0,
    ) -> None:
        """`first_wait` is seconds before a letter is due; each further failure doubles it, a day at most."""
        self._path = Path(path)
        self._redact = redact or str
        self._most_letters = most_letters
        self._first_wait_s = first_wait

    def add(
        self,
        agent: str,
        payload: Mapping[str, object],
        error: BaseException,
        *,
        span: tuple[str | None, str | None] = (None, None),
        redact: Callable[[str], str] = str,
    ) -> int | None:
        """Keep a request that failed with `error`; its id, or None where it could not be written (logged).

        `span` is the trace id and the span id of what failed, `redact` is applied before the queue's own.
        """
        now = time.time()
        try:
            kept = (
                agent,
                json.dumps(self._redacted(payload, redact), default=attributes.text),
                attributes.error_type(error),
                self._redact(redact(attributes.message_of(error))),
                *(*span, now, now + self._first_wait_s),
            )
            with self._connection() as connection:
                number = connection.execute(
                    "insert into dead_letters (agent, payload, error_type, message, attempt, trace_id, span_id, "
                    "failed_at, next_at) values (?, ?, ?, ?, 1, ?, ?, ?, ?)",
                    kept,
                ).lastrowid
                connection.execute(
                    "delete from dead_letters where id <= (select max(id) from dead_letters) - ?",
                    (self._most_letters,),
                )
        except Exception as failure:
            logger.warning("A failed request of %r was not kept in %s: %s.", agent, self._path.name, failure)
            return None
        return number

    def letters(self) -> list[DeadLetter]:
        """All that is kept, oldest first; raises `sqlite3.Error` where the file cannot be read."""
        with self._connection() as connection:
            rows = connection.execute(f"select {_COLUMNS} from dead_letters order by id").fetchall()
        return [_letter(row) for row in rows]

    def discard(self, number: int) -> None:
        """Forget one letter."""
        with self._connection() as connection:
            connection.execute("delete from dead_letters where id = ?", (number,))

    def replay(
        self, handle: Callable[[DeadLetter], object], *, limit: int = 100, only_due: bool = True
    ) -> ReplayReport:
        """Call `handle` with each letter (`limit` at most), in a request whose span links to the one that failed.

        What returns is forgotten; what raises waits longer and is tried at a later replay. Two replays at once
        take different letters. With `only_due=False` waits are not respected. Raises only `sqlite3.Error`.
        """
        succeeded = failed = 0
        for letter in self.letters()[:limit] if not only_due else self._due()[:limit]:
            if not self._claim(letter):
                continue
            try:
                with _replayed(letter) as span:
                    span.set_attribute(names.SPANDECK_DEAD_LETTER_ID, letter.id)
                    handle(letter)
            except Exception as error:
                failed += 1
                self._failed_again(letter, error)
            else:
                succeeded += 1
                self.discard(letter.id)
        return ReplayReport(succeeded, failed)

    def _due(self) -> list[DeadLetter]:
        return [letter for letter in self.letters() if letter.next_at <= time.time()]

    def _claim(self, letter: DeadLetter) -> bool:
        """Take the letter before another replay does; a replay that dies gives it back after the wait."""
        with self._connection() as connection:
            taken = connection.execute(
                "update dead_letters set next_at = ? where id = ? and next_at = ?",
                (time.time() + self._wait_s(letter.attempt), letter.id, letter.next_at),
            )
            return taken.rowcount == 1

    def _failed_again(self, letter: DeadLetter, error: Exception) -> None:
        attempt = letter.attempt + 1
        with self._connection() as connection:
            connection.execute(
                "update dead_letters set attempt = ?, error_type = ?, message = ?, next_at = ? where id = ?",
                (
                    attempt,
                    attributes.error_type(error),
                    self._redact(attributes.message_of(error)),
                    time.time() + self._wait_s(attempt),
                    letter.id,
                ),
            )

    def _wait_s(self, attempt: int) -> float:
        return float(min(_LONGEST_WAIT_S, self._first_wait_s * 2 ** min(attempt - 1, 30)))

    def _redacted(self, value: object, redact: Callable[[str], str]) -> object:
        if isinstance(value, str):
            return self._redact(redact(value))
        if isinstance(value, Mapping):
            return {str(key): self._redacted(item, redact) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._redacted(item, redact) for item in value]
        return value

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A transaction; the file is made, for its owner alone, where there is none."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("pragma journal_mode = wal")
            connection.execute(_SCHEMA)
            with connection:
                yield connection
        finally:
            connection.close()


def _letter(row: sqlite3.Row) -> DeadLetter:
    return DeadLetter(**{**dict(row), "payload": json.loads(row["payload"])})


def _replayed(letter: DeadLetter) -> Request:
    links = [(letter.trace_id, letter.span_id)] if letter.trace_id and letter.span_id else []
    return request(f"replay {letter.agent}", agent=letter.agent, links=links)
