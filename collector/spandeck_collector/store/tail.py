"""Follows the journal: what waits is stored in one transaction, a few times a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import duckdb

from spandeck_collector.alerts.courier import Courier
from spandeck_collector.alerts.rule_folder import RuleFolder
from spandeck_collector.free_space import FreeSpace
from spandeck_collector.journal import JournalReader, Record, Signal
from spandeck_collector.journal_backlog import StoredMark
from spandeck_collector.settings import Settings
from spandeck_collector.store.alert_outbox import AlertOutbox
from spandeck_collector.store.alert_watch import AlertWatch
from spandeck_collector.store.attempts import DEATHS_TO_SET_ASIDE, DEATHS_TO_SINGLE, Attempts
from spandeck_collector.store.command_desk import CommandDesk
from spandeck_collector.store.ingest import DISK_ERRORS, Ingest, after
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
_MAINTAIN_EVERY_S = 3600.0
_LOGGED_BY_MINUTE_H = 48
_DISK_WAIT_S = 1.0


class Tail:
    """Moves records from the journal to the database until stopped, and runs `commands` between two batches."""

    def __init__(
        self, reader: JournalReader, ingest: Ingest, settings: Settings, metrics: Metrics | None = None
    ) -> None:
        """Keep its notes in the data folder, which is made. Raises `OSError` where that cannot be."""
        for folder in (settings.data_dir, settings.journal_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._metrics = metrics or Metrics()
        self._oldest_waiting_ns: int | None = None
        self._reader = reader
        self._attempts = Attempts(settings.data_dir / "store.attempt")
        self._mark = StoredMark(settings.journal_dir)
        # Half of what the receiver leaves free: what it has accepted until then finds its place.
        self._space = FreeSpace(settings.data_dir, settings.free_space_floor_bytes // 2)
        self._ingest = ingest
        self._stored = self._last_read = ingest.position()
        self._removed_before = 0
        self.commands = CommandDesk(ingest, settings.data_dir)
        grace = timedelta(seconds=settings.alert_grace_s)
        self._alerts = AlertWatch(ingest, RuleFolder(settings.alert_rules_dir), grace)
        self._courier = self._outbox = None
        if settings.alert_channels:
            self._courier = Courier(settings.alert_channels, private_targets=settings.alert_private_targets)
            self._outbox = AlertOutbox(ingest, settings, self._courier)
        self._checkpoint_rows = settings.checkpoint_rows
        # What is stored leaves the journal with a checkpoint only: long before the journal is full, one is due.
        self._checkpoint_bytes = settings.journal_limit_bytes // _CHECKPOINT_SHARE
        self._most_waiting_bytes = settings.journal_limit_bytes // 2
        self._bytes_since_checkpoint = 0
        self._retention = Retention(ingest, settings, told=self._metrics.deleted)
        self._maintain_at = 0.0
        self._began_at = 0.0
        self._busy_at = 0.0
        self._checkpoint_due_since: float | None = None
        self._stop = threading.Event()
        self._is_stuck = False

    def is_ready(self) -> bool:
        """Whether what comes is stored: not while memory or disk space is short."""
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
        self._mark.write(self._stored)
        self._remove_consumed()
        while not self._stop.is_set():
            is_deleting = self._let_go()
            records = self._read()
            if records:
                records = self._with_followers(records)
                self._store(records)
            self._judge_alerts(records)
            if self._run_command() or records or is_deleting:
                self._checkpoint_when_due()
                continue
            if not self._checkpoint_when_idle():
                self._stop.wait(_LOOK_S)
        self.commands.close()
        self._alerts.close()
        if self._courier:
            self._courier.close()
        self._checkpoint()

    def _judge_alerts(self, records: Sequence[Record]) -> None:
        """Up to now, or while more may wait in the journal, up to the receipt of the last that was stored."""
        at_s = records[-1].received_at_ns / 1e9 if records else time.time()
        try:
            self._alerts.take_turn(datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None), is_busy=bool(records))
            if self._outbox:
                self._outbox.take_turn()
        except duckdb.OutOfMemoryException as error:
            _LOG.warning("Memory is short (SPANDECK_MEMORY_LIMIT), alerts are judged later: %s", error)

    def _run_command(self) -> bool:
        try:
            has_run = self.commands.run_next()
        except DISK_ERRORS as error:
            has_run = True
            self._wait_for_disk(str(error))
        if has_run:
            self._busy_at = time.monotonic()
        return has_run

    def _let_go(self) -> bool:
        """Delete a little of what is too old, and once an hour shorten the ingest log; whether there is more."""
        if self._space.is_short():
            return False
        try:
            self._shorten_log()
            return self._retention.step()
        except DISK_ERRORS as error:
            self._wait_for_disk(str(error))
            return False

    def _shorten_log(self) -> None:
        if time.monotonic() < self._maintain_at:
            return
        self._maintain_at = time.monotonic() + _MAINTAIN_EVERY_S
        this_hour = datetime.now(UTC).replace(tzinfo=None, minute=0, second=0, microsecond=0)
        try:
            self._ingest.gather_log("hour", this_hour - timedelta(hours=_LOGGED_BY_MINUTE_H))
        except duckdb.OutOfMemoryException as error:
            _LOG.warning("Memory is short (SPANDECK_MEMORY_LIMIT), the ingest log is shortened later: %s", error)

    def _with_followers(self, records: list[Record]) -> list[Record]:
        # A transaction has a cost of its own: a trickle of small requests shares one.
        wait_s = self._began_at + _BATCH_EVERY_S - time.monotonic()
        if wait_s > 0 and sum(len(record.body) for record in records) < _SMALL_BYTES:
            self._stop.wait(wait_s)
            records += self._read()
        return records

    def _read(self) -> list[Record]:
        records = self._reader.read(_BATCH_BYTES)
        if records:
            self._last_read = records[-1].position
        for damage in self._reader.take_damage():
            self._ingest.keep_damaged(damage)
        return records

    def _store(self, records: Sequence[Record]) -> None:
        self._began_at = time.monotonic()
        self._oldest_waiting_ns = min(record.received_at_ns for record in records)
        rows_before = self._ingest.rows_since_checkpoint
        self._bytes_since_checkpoint += sum(len(record.body) for record in records)
        deaths = self._attempts.begin(self._stored)
        if deaths >= DEATHS_TO_SINGLE:
            self._store_singly(records, deaths)
        else:
            self._try(records)
        self._is_stuck = False
        stored_rows = self._ingest.rows_since_checkpoint - rows_before
        self._metrics.stored(stored_rows, time.monotonic() - self._began_at, self.lag_s())
        self._oldest_waiting_ns = None
        if any(record.signal != Signal.REFUSALS for record in records):
            self._busy_at = time.monotonic()
        self._checkpoint_when_due()

    def _store_singly(self, records: Sequence[Record], deaths: int) -> None:
        """One record at a time, after the process ended while it stored them; who ends it alone is set aside."""
        _LOG.warning("Storing behind %s has ended the store %d times: now record by record.", self._stored, deaths)
        for record in records:
            if self._stop.is_set():
                return
            if record is not records[0]:
                deaths = self._attempts.begin(self._stored)
            if deaths >= DEATHS_TO_SET_ASIDE:
                self._ingest.set_aside(record, RuntimeError(f"it ended the store {deaths} times"))
                self._advance(record)
            else:
                self._try([record])

    def _try(self, records: Sequence[Record]) -> None:
        """Store records, with patience where memory or disk space is short."""
        left, tries = records, 0
        while left and not self._stop.is_set():
            if self._space.is_short():
                self._wait_for_disk(f"{self._space.free_bytes} bytes are free (SPANDECK_FREE_SPACE_FLOOR_BYTES)")
                continue
            try:
                self._ingest.store(left)
                left = ()
            except duckdb.OutOfMemoryException as error:
                left, tries = self._make_room(after(left, self._ingest.position()), tries + 1, error)
            except duckdb.FatalException:
                if self._space.is_short():
                    self._attempts.forgive()
                raise
            except DISK_ERRORS as error:
                left = after(left, self._ingest.position())
                self._wait_for_disk(str(error))
        if not left:
            self._advance(records[-1])

    def _advance(self, record: Record) -> None:
        self._stored = record.position
        self._mark.write(record.position)

    def _wait_for_disk(self, why: str) -> None:
        if not self._is_stuck:
            _LOG.warning("The disk takes nothing more, what comes waits in the journal: %s", why)
        self._is_stuck = True
        self._stop.wait(_DISK_WAIT_S)

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
        if nothing_new:
            self._remove_consumed()
        if nothing_new or time.monotonic() - self._busy_at < _IDLE_CHECKPOINT_S:
            return False
        return self._checkpoint()

    def _checkpoint(self) -> bool:
        """Whether it could be done: queries hinder it, and only after a while ingestion waits for their end."""
        if self._space.is_short():
            return False
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
        self._remove_consumed()
        return True

    def _remove_consumed(self) -> None:
        """Remove journal segments that are stored, and by a checkpoint in the file."""
        # A reader that went on to the next segment has found nothing more in the one before.
        position = self._reader.position if self._last_read == self._stored else self._stored
        if position.segment != self._removed_before:
            self._removed_before = position.segment
            self._reader.remove_consumed(position)
