"""Follows the journal: what waits is stored in one transaction, a few times a second."""

from __future__ import annotations

import logging
import threading
import time

import duckdb

from spandeck_collector.journal import JournalReader, Position, Record
from spandeck_collector.store.ingest import Ingest

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.02
_BATCH_EVERY_S = 0.25
_SMALL_BYTES = 1 << 20
_BATCH_BYTES = 8 << 20
_MEMORY_WAIT_S = 0.2
_IDLE_CHECKPOINT_S = 5.0
_CHECKPOINT_PATIENCE_S = 10.0


class Tail:
    """Moves records from the journal to the database until stopped."""

    def __init__(self, reader: JournalReader, ingest: Ingest, checkpoint_rows: int) -> None:
        self._reader = reader
        self._ingest = ingest
        self._checkpoint_rows = checkpoint_rows
        self._began_at = 0.0
        self._stored_at = 0.0
        self._checkpoint_due_since: float | None = None
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
        wait_s = self._began_at + _BATCH_EVERY_S - time.monotonic()
        if wait_s > 0 and sum(len(record.body) for record in records) < _SMALL_BYTES:
            self._stop.wait(wait_s)
            records += self._reader.read(_BATCH_BYTES)
        return records

    def _store(self, records: list[Record]) -> None:
        self._began_at = time.monotonic()
        while records:
            try:
                self._ingest.store(records)
                break
            except duckdb.OutOfMemoryException as error:
                _LOG.warning("Memory is short, the batch is tried again: %s", error)
                time.sleep(_MEMORY_WAIT_S)
                records = _after(records, self._ingest.position())
        self._stored_at = time.monotonic()
        if self._ingest.rows_since_checkpoint >= self._checkpoint_rows:
            self._checkpoint()

    def _checkpoint_when_idle(self) -> bool:
        idle_s = time.monotonic() - self._stored_at
        if self._ingest.rows_since_checkpoint == 0 or idle_s < _IDLE_CHECKPOINT_S:
            return False
        return self._checkpoint()

    def _checkpoint(self) -> bool:
        """Whether it could be done: queries hinder it, and only after a while ingestion waits for their end."""
        now = time.monotonic()
        due_since = self._checkpoint_due_since = self._checkpoint_due_since or now
        must_be_done = now - due_since > _CHECKPOINT_PATIENCE_S and not self._stop.is_set()
        if not self._ingest.checkpoint(wait_for_queries=must_be_done):
            return False
        self._checkpoint_due_since = None
        self._reader.remove_consumed(self._ingest.position())
        return True


def _after(records: list[Record], position: Position) -> list[Record]:
    """The records that follow the one at `position`; all of them where it is not among them."""
    positions = [record.position for record in records]
    return records[positions.index(position) + 1 :] if position in positions else records
