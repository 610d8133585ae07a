"""Follows the journal: what waits is stored in one transaction, a few times a second."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Sequence

import duckdb

from spandeck_collector.journal import JournalReader, Record, Signal
from spandeck_collector.settings import Settings
from spandeck_collector.store.command_desk import CommandDesk
from spandeck_collector.store.ingest import Ingest, after
from spandeck_collector.store.metrics import Metrics
from spandeck_collector.store.retention import Retention

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.02
_BATCH_EVERY_S = 0.25
_SMALL_BYTES = 1 << 20
_BATCH_BYTES = 8 << 20
_MEMORY_WAIT_S = 0.2
_MEMORY_TRIES = 50
_IDLE_CHECKPOINT_S = 5.0
_CHECKPOINT_PATIENCE_S = 10.0
_CHECKPOINT_SHARE = 8
_NO_ROOM = (
    "The disk has %s bytes free, less than SPANDECK_FREE_SPACE_FLOOR_BYTES (%s): nothing is stored until there is room."
)
_ROOM_AGAIN = "The disk has %s bytes free again, SPANDECK_FREE_SPACE_FLOOR_BYTES (%s) or more: storing goes on."


class Tail:
    """Moves records from the journal to the database until stopped, and runs `commands` between two batches."""

    def __init__(
        self, reader: JournalReader, ingest: Ingest, settings: Settings, metrics: Metrics | None = None
    ) -> None:
        self._metrics = metrics or Metrics()
        self._oldest_waiting_ns: int | None = None
        self._reader = reader
        self._ingest = ingest
        self.commands = CommandDesk(ingest, settings.data_dir)
        self._checkpoint_rows = settings.checkpoint_rows
        # What is stored leaves the journal with a checkpoint only: long before the journal is full, one is due.
        self._checkpoint_bytes = settings.journal_limit_bytes // _CHECKPOINT_SHARE
        self._most_waiting_bytes = settings.journal_limit_bytes // 2
        self._bytes_since_checkpoint = 0
        self._retention = Retention(ingest, settings, told=self._metrics.deleted)
        self._began_at = 0.0
        self._busy_at = 0.0
        self._checkpoint_due_since: float | None = None
        self._data_dir, self._floor_bytes = settings.data_dir, settings.free_space_floor_bytes
        self._had_room = True
        self._stop = threading.Event()
        self._is_stuck = False

    def is_ready(self) -> bool:
        """Whether the last attempt to store succeeded."""
        return not self._is_stuck

    def lag_s(self) -> float:
        """Age of the oldest record that was read and is not stored, in seconds; 0 when there is none."""
        oldest_ns = self._oldest_waiting_ns
        return 0.0 if oldest_ns is None else max((time.time_ns() - oldest_ns) / 1e9, 0.0)

    def stop(self) -> None:
        """Let `run` return after the batch at hand."""
        self._stop.set()

    def run(self) -> None:
        """Store until `stop`; then checkpoint. Raises `duckdb.FatalException` when the database must be reopened."""
        self._reader.remove_consumed(self._ingest.position())
        while not self._stop.is_set():
            is_deleting = self._retention.step()
            records = self._read() if self._disk_has_room() else []
            if records:
                self._store(self._with_followers(records))
            if self._run_command() or records or is_deleting:
                self._checkpoint_when_due()
                continue
            if not self._checkpoint_when_idle():
                self._stop.wait(_LOOK_S)
        self.commands.close()
        self._checkpoint()

    def _run_command(self) -> bool:
        has_run = self.commands.run_next()
        if has_run:
            self._busy_at = time.monotonic()
        return has_run

    def _disk_has_room(self) -> bool:
        """Whether the disk has the free space that is demanded; below it, what is acknowledged waits in the journal."""
        free = shutil.disk_usage(self._data_dir).free
        has_room = free >= self._floor_bytes
        if has_room != self._had_room:
            _LOG.warning(_ROOM_AGAIN if has_room else _NO_ROOM, free, self._floor_bytes)
            self._had_room, self._is_stuck = has_room, not has_room
        return has_room

    def _with_followers(self, records: list[Record]) -> list[Record]:
        # A transaction has a cost of its own: a trickle of small requests shares one.
        wait_s = self._began_at + _BATCH_EVERY_S - time.monotonic()
        if wait_s > 0 and sum(len(record.body) for record in records) < _SMALL_BYTES:
            self._stop.wait(wait_s)
            records += self._read()
        return records

    def _read(self) -> list[Record]:
        records = self._reader.read(_BATCH_BYTES)
        for damage in self._reader.take_damage():
            self._ingest.keep_damaged(damage)
        return records

    def _store(self, records: Sequence[Record]) -> None:
        self._began_at = time.monotonic()
        self._oldest_waiting_ns = min(record.received_at_ns for record in records)
        rows_before = self._ingest.rows_since_checkpoint
        self._bytes_since_checkpoint += sum(len(record.body) for record in records)
        tries = 0
        while records and not self._stop.is_set():
            try:
                self._ingest.store(records)
                break
            except duckdb.OutOfMemoryException as error:
                records, tries = self._make_room(after(records, self._ingest.position()), tries + 1, error)
        self._is_stuck = False
        stored_rows = self._ingest.rows_since_checkpoint - rows_before
        self._metrics.stored(stored_rows, time.monotonic() - self._began_at, self.lag_s())
        self._oldest_waiting_ns = None
        if any(record.signal != Signal.REFUSALS for record in records):
            self._busy_at = time.monotonic()
        self._checkpoint_when_due()

    def _make_room(self, records: Sequence[Record], tries: int, error: Exception) -> tuple[Sequence[Record], int]:
        """Wait for memory that queries hold; a record that still does not fit is set aside."""
        if tries < _MEMORY_TRIES:
            _LOG.warning("Memory is short (SPANDECK_MEMORY_LIMIT), the batch is tried again: %s", error)
            self._is_stuck = True
            self._stop.wait(_MEMORY_WAIT_S)
            return records, tries
        self._ingest.set_aside(records[0], error)
        return records[1:], 0

    def _checkpoint_when_due(self) -> None:
        if (
            self._ingest.rows_since_checkpoint >= self._checkpoint_rows
            or self._bytes_since_checkpoint >= self._checkpoint_bytes
        ):
            self._checkpoint()

    def _checkpoint_when_idle(self) -> bool:
        nothing_new = self._bytes_since_checkpoint == 0 and self._ingest.rows_since_checkpoint == 0
        if nothing_new or time.monotonic() - self._busy_at < _IDLE_CHECKPOINT_S:
            return False
        return self._checkpoint()

    def _checkpoint(self) -> bool:
        """Whether it could be done: queries hinder it, and only after a while ingestion waits for their end."""
        now = time.monotonic()
        due_since = self._checkpoint_due_since = self._checkpoint_due_since or now
        # A backup may take minutes: as long as the journal has room, its end is not what ingestion waits for.
        may_wait = self.commands.is_reading and self._bytes_since_checkpoint < self._most_waiting_bytes
        must_be_done = now - due_since > _CHECKPOINT_PATIENCE_S and not self._stop.is_set() and not may_wait
        if not self._ingest.checkpoint(wait_for_queries=must_be_done):
            return False
        self._metrics.checkpointed(time.monotonic() - now)
        self._checkpoint_due_since = None
        self._bytes_since_checkpoint = 0
        self._busy_at = now
        self._reader.remove_consumed(self._ingest.position())
        return True
