"""Where cached answers outlive the process: one protocol with `get` and `set`, and SQLite behind it."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Protocol, runtime_checkable

from spandeck.optimizer.process_lock import ProcessLock

_SCHEMA = """
create table if not exists cached_answers (
    key text primary key, content text not null, stored_at real not null, expires_at real not null
) without rowid;
create index if not exists cached_answers_stored_at on cached_answers (stored_at);
create index if not exists cached_answers_expires_at on cached_answers (expires_at);
"""
_BUSY_TIMEOUT_S = 1.0


@runtime_checkable
class Store(Protocol):
    """A place for text by key. May raise: the cache then goes on without it."""

    def get(self, key: str) -> str | None:
        """The text stored under `key`, None where there is none or its time is over."""

    def set(self, key: str, content: str, ttl_s: float) -> None:
        """Store `content` for `ttl_s` seconds in place of what `key` had."""


class SqliteStore:
    """A `Store` in one SQLite file, safe between threads and between processes of one machine.

    It keeps the newest `max_entries` rows; the cache writes two for each answer. What is cached lies in the file as
    it is: give it the same protection as the prompts themselves. New files are readable by their owner only.
    """

    def __init__(self, path: str | Path, max_entries: int = 10_000) -> None:
        """Raises `ValueError` for a bound below 1; the file is opened at its first use."""
        if max_entries < 1:
            raise ValueError(f"max_entries is {max_entries}: a store keeps at least 1 entry.")
        self._path = Path(path)
        self._max_entries = max_entries
        self._lock = ProcessLock()
        self._open: sqlite3.Connection | None = None
        self._process_id = 0
        self._inherited: list[sqlite3.Connection] = []

    def get(self, key: str) -> str | None:
        """As `Store.get`; raises `sqlite3.Error` where the file cannot be read."""
        with self._lock:
            row = (
                self._connection()
                .execute("select content from cached_answers where key = ? and expires_at > ?", (key, time.time()))
                .fetchone()
            )
        return None if row is None else str(row[0])

    def set(self, key: str, content: str, ttl_s: float) -> None:
        """As `Store.set`; raises `sqlite3.Error` where the file cannot be written."""
        now = time.time()
        with self._lock, (connection := self._connection()):
            connection.execute(
                "insert or replace into cached_answers values (?, ?, ?, ?)", (key, content, now, now + ttl_s)
            )
            connection.execute(
                "delete from cached_answers where expires_at <= ? or key in "
                "(select key from cached_answers order by stored_at desc limit -1 offset ?)",
                (now, self._max_entries),
            )

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._open is not None and self._process_id == os.getpid():
                self._open.close()
                self._open = None

    def _connection(self) -> sqlite3.Connection:
        """The connection of this process: SQLite forbids to use, or to close, one that a fork inherited."""
        if self._open is not None and self._process_id == os.getpid():
            return self._open
        if self._open is not None:
            self._inherited.append(self._open)
        self._path.touch(mode=0o600)
        self._open = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False)
        self._process_id = os.getpid()
        self._open.execute("pragma journal_mode = wal")
        self._open.execute("pragma synchronous = normal")
        self._open.executescript(_SCHEMA)
        return self._open
