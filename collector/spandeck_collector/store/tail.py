"""Follows the journal: what waits is stored in one transaction, a few times a second."""

from __future__ import annotations

import logging
import threading
import time

import duckdb

from spandeck_collector.journal import JournalReader, Record
from spandeck_collector.store.ingest import Ingest

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.02
_LINGER_S = 0.25
_SMALL_BYTES = 1 << 20
_BATCH_BYTES = 8 << 20
_MEMORY_WAIT_S = 0.2
_IDLE_CHECKPOINT_S = 5.0


class Tail:
    """Moves records from the journal to the database until stopped."""

    def __init__(self, reader: JournalReader, ingest: Ingest, checkpoint_rows: int) -> None:
        self._reader = reader
        self._ingest = ingest
        self._checkpoint_rows = checkpoint_rows
        self._stored_at = 0.0
        self._stop = threading.Event()

    def stop(self) -> None:
        """Let `run` return after the batch at hand."""
        self._stop.set()

    def run(self) -> None:
        """Store until `stop`; then checkpoint. Raises `duckdb.FatalException` when the database must be reopened."""
        while not self._stop.is_set():
            records = self._reader.read(_BATCH_BYTES)
            if records:
                self._store(self._with_followers(records))
            elif not self._checkpoint_when_idle():
                self._stop.wait(_LOOK_S)
        self._checkpoint()

    def _with_followers(self, records: list[Record]) -> list[Record]:
        # A transaction has a cost of its own: a trickle of small requests shares one.
        wait_s = self._stored_at + _LINGER_S - time.monotonic()
        if wait_s > 0 and sum(len(record.body) for record in records) < _SMALL_BYTES:
            self._stop.wait(wait_s)
            records += self._reader.read(_BATCH_BYTES)
        return records

    def _store(self, records: list[Record]) -> None:
        while True:
            try:
                self._ingest.store(records)
                break
            except duckdb.OutOfMemoryException as error:
                _LOG.warning("Memory is short, the batch is tried again: %s", error)
                time.sleep(_MEMORY_WAIT_S)
        self._stored_at = time.monotonic()
        if self._ingest.rows_since_checkpoint >= self._checkpoint_rows:
            self._checkpoint()

    def _checkpoint_when_idle(self) -> bool:
        idle_s = time.monotonic() - self._stored_at
        if self._ingest.rows_since_checkpoint == 0 or idle_s < _IDLE_CHECKPOINT_S:
            return False
        self._checkpoint()
        return True

    def _checkpoint(self) -> None:
        self._ingest.checkpoint()
        self._reader.remove_consumed(self._ingest.position())
