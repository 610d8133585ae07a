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
from spandeck_collector.journal import JournalReader, Record, Signal
from spandeck_collector.settings import Settings
from spandeck_collector.store.alert_outbox import AlertOutbox
from spandeck_collector.store.alert_watch import AlertWatch
from spandeck_collector.store.command_desk import CommandDesk
from spandeck_collector.store.ingest import Ingest, after

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
_FORGET_EVERY_S = 3600.0


class Tail:
    """Moves records from the journal to the database until stopped, and runs `commands` between two batches."""

    def __init__(self, reader: JournalReader, ingest: Ingest, settings: Settings) -> None:
        self._reader = reader
        self._ingest = ingest
        self.commands = CommandDesk(ingest)
        grace = timedelta(seconds=settings.alert_grace_s)
        self._alerts = AlertWatch(ingest, RuleFolder(settings.alert_rules_dir), grace)
        self._courier = self._outbox = None
        if settings.alert_channels:
            self._courier = Courier(settings.alert_channels, private_targets=settings.alert_private_targets)
            self._outbox = AlertOutbox(ingest, settings, self._courier)
        self._checkpoint_rows = settings.checkpoint_rows
        # What is stored leaves the journal with a checkpoint only: long before the journal is full, one is due.
        self._checkpoint_bytes = settings.journal_limit_bytes // _CHECKPOINT_SHARE
        self._bytes_since_checkpoint = 0
        self._content_days = settings.content_days
        self._forget_at = 0.0
        self._began_at = 0.0
        self._busy_at = 0.0
        self._checkpoint_due_since: float | None = None
        self._stop = threading.Event()
        self._is_stuck = False

    def is_ready(self) -> bool:
        """Whether the last attempt to store succeeded."""
        return not self._is_stuck

    def stop(self) -> None:
        """Let `run` return after the batch at hand."""
        self._stop.set()

    def run(self) -> None:
        """Store until `stop`; then checkpoint. Raises `duckdb.FatalException` when the database must be reopened."""
        self._reader.remove_consumed(self._ingest.position())
        while not self._stop.is_set():
            self._forget_content()
            records = self._read()
            if records:
                records = self._with_followers(records)
                self._store(records)
            self._judge_alerts(records)
            if self._run_command() or records:
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
        if not self.commands.run_next():
            return False
        self._busy_at = time.monotonic()
        if self._ingest.rows_since_checkpoint >= self._checkpoint_rows:
            self._checkpoint()
        return True

    def _forget_content(self) -> None:
        """Once an hour, between two batches, delete content that is older than the setting allows."""
        if self._content_days == 0 or time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + _FORGET_EVERY_S
        try:
            self._ingest.forget_content(datetime.now(UTC).replace(tzinfo=None) - timedelta(days=self._content_days))
        except duckdb.OutOfMemoryException as error:
            _LOG.warning("Memory is short (SPANDECK_MEMORY_LIMIT), old content is deleted an hour later: %s", error)

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
        self._bytes_since_checkpoint += sum(len(record.body) for record in records)
        tries = 0
        while records and not self._stop.is_set():
            try:
                self._ingest.store(records)
                break
            except duckdb.OutOfMemoryException as error:
                records, tries = self._make_room(after(records, self._ingest.position()), tries + 1, error)
        self._is_stuck = False
        if any(record.signal != Signal.REFUSALS for record in records):
            self._busy_at = time.monotonic()
        if (
            self._ingest.rows_since_checkpoint >= self._checkpoint_rows
            or self._bytes_since_checkpoint >= self._checkpoint_bytes
        ):
            self._checkpoint()

    def _make_room(self, records: Sequence[Record], tries: int, error: Exception) -> tuple[Sequence[Record], int]:
        """Wait for memory that queries hold; a record that still does not fit is set aside."""
        if tries < _MEMORY_TRIES:
            _LOG.warning("Memory is short (SPANDECK_MEMORY_LIMIT), the batch is tried again: %s", error)
            self._is_stuck = True
            self._stop.wait(_MEMORY_WAIT_S)
            return records, tries
        self._ingest.set_aside(records[0], error)
        return records[1:], 0

    def _checkpoint_when_idle(self) -> bool:
        nothing_new = self._bytes_since_checkpoint == 0 and self._ingest.rows_since_checkpoint == 0
        if nothing_new or time.monotonic() - self._busy_at < _IDLE_CHECKPOINT_S:
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
        self._bytes_since_checkpoint = 0
        self._busy_at = now
        self._reader.remove_consumed(self._ingest.position())
        return True
