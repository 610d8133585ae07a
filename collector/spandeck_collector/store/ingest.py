"""One transaction a batch: rows, settled traces, alerts, and the journal position that they came from."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb

from spandeck_collector.journal import DamagedSegment, Position, Record
from spandeck_collector.store.budget_file import Budget, replace_budgets
from spandeck_collector.store.content import MOST_CONTENT_BYTES, ContentKeeping
from spandeck_collector.store.content_parts import MOST_KNOWN
from spandeck_collector.store.decode import Batch, decode
from spandeck_collector.store.history import History
from spandeck_collector.store.own_files import OwnFiles
from spandeck_collector.store.pipeline import Pipeline
from spandeck_collector.store.redactor import redact_records
from spandeck_collector.store.spending import Run, Spending, load_spending
from spandeck_schema import catalog

_LOG = logging.getLogger(__name__)
_BYTES_A_ROW = 2048  # of a common span; one with a larger resource counts as several rows until the checkpoint
_LENGTH_S = {"minute": 60, "hour": 3600}
DISK_ERRORS = (duckdb.IOException, duckdb.TransactionException, OSError)
"""What a disk that takes nothing more causes: nothing of the batch is stored, and it can be tried again."""

_NOT_OF_THE_DATA = (
    duckdb.FatalException,
    duckdb.ConnectionException,
    duckdb.InterruptException,
    MemoryError,
    *DISK_ERRORS,
)
"""What comes of the database, the disk or the machine; anything else a record causes, however often it is tried."""


class Ingest:
    """Writes batches through one connection; not for use by two threads.

    `connection` and `history` are for commands, which the same thread runs between two batches, in a `transaction`.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        quarantine: Path,
        content_bytes: int = MOST_CONTENT_BYTES,
        *,
        redact: bool = True,
        own_files: OwnFiles | None = None,
    ) -> None:
        """`quarantine` is the folder for records that no attempt could store; `content_bytes` is kept of a content.

        With `redact`, secrets are taken out of every record before anything else looks at it. `own_files` are the
        user's prices and budgets, which commands read and write.
        """
        self.connection = connection
        self.own_files = own_files
        self.spending = Spending((), "UTC")
        self.keeping = ContentKeeping(content_bytes)
        self.keeping.known.add(latest_parts(connection))
        self._pipeline = Pipeline(connection)
        self.history = History(connection, self._pipeline)
        self._quarantine = quarantine
        self._redact = redact
        self.rows_since_checkpoint = 0
        row = connection.execute("select max(received_at) from store.spans").fetchone()
        self.received_until: datetime | None = row[0] if row else None

    def silence_rules(self, names: Iterable[str]) -> None:
        """Let shipped alert rules about spans say nothing, because the user's own stand in their place."""
        self._pipeline.silenced_rules = tuple(sorted(names))

    def position(self) -> Position:
        """Where the journal has been stored up to."""
        row = self.connection.execute("select segment, byte_offset from store.journal_position").fetchone()
        return Position(*row) if row else Position(0, 0)

    def store(self, records: Sequence[Record]) -> None:
        """Store records and the position after the last of them, each exactly once.

        A record whose data cannot be stored is set aside and counted as refused, and the rest goes on. A record of
        very many spans is stored in parts; the position moves with its last part, and what is stored already is
        known by its ids if it comes again.
        Raises `duckdb.OutOfMemoryException` when one record does not fit now, one of `DISK_ERRORS` when the disk does
        not take it, `duckdb.FatalException` when the database must be opened anew; `position()` says what is stored.
        """
        if not records:
            return
        try:
            for batch, position in decode(self._readable(records), keeping=self.keeping):
                self._write(batch, position)
            self._note_receipt(records)
        except duckdb.OutOfMemoryException:
            rest = after(records, self.position())
            if len(rest) <= 1:
                raise
            self._store_halves(rest)
        except _NOT_OF_THE_DATA:
            raise
        except Exception as error:
            rest = after(records, self.position())
            if len(rest) > 1:
                self._store_halves(rest)
            else:
                self.set_aside(rest[0], error)

    def set_aside(self, record: Record, error: Exception) -> None:
        """Keep a record that cannot be stored as a file, count it as refused, and go on behind it."""
        _LOG.error("A record at %s was set aside: %s", record.position, error)
        self._quarantine.mkdir(parents=True, exist_ok=True, mode=0o700)
        signal = record.signal.name.lower()
        name = f"{record.position.segment}-{record.position.offset}.{signal}.pb"
        (self._quarantine / name).write_bytes(self._readable([record])[0].body)
        refusal = _refusal(signal, "A request could not be stored.", record.received_at_ns)
        self._write(Batch(refusals=[refusal]), record.position)

    def keep_damaged(self, damage: DamagedSegment) -> None:
        """Keep a copy of a journal segment that has an unreadable place, and count the loss."""
        _LOG.error("The journal is damaged at %s: what stood there is lost, %s is kept.", damage.position, damage.path)
        self._quarantine.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy2(damage.path, self._quarantine / damage.path.name)
        refusal = _refusal("unknown", "A request was lost by damage to the journal.", time.time_ns())
        self._write(Batch(refusals=[refusal]), None)

    def checkpoint(self, *, wait_for_queries: bool) -> bool:
        """Write everything into the database file; what the journal held until now may go after that.

        False when a query runs that began before the last batch; with `wait_for_queries` its end is awaited.
        """
        self.gather_log("minute", datetime.max)
        self._pipeline.rollup.merge()
        try:
            self.connection.execute("force checkpoint" if wait_for_queries else "checkpoint")
        except duckdb.TransactionException:
            return False
        self.rows_since_checkpoint = 0
        return True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done inside, or nothing of it."""
        self.connection.execute("begin")
        try:
            yield
            self.connection.execute("commit")
        except duckdb.FatalException:
            raise
        except BaseException:
            self._pipeline.take_spending_changes()
            # A commit that failed, as on a full disk, has ended the transaction.
            with suppress(duckdb.TransactionException):
                self.connection.execute("rollback")
            raise
        self.spending.add(self._pipeline.take_spending_changes())

    def check_budgets(self, run: Run) -> dict[str, Any]:
        """Whether a run may go on (`Spending.check`); for any thread."""
        return self.spending.check(run)

    def use_budgets(self, budgets: tuple[Budget, ...], time_zone: str) -> None:
        """Put these budgets into their table and begin an account of them by what is stored.

        In the transaction that is open, as its last work: what it settled before stands in the account twice else.
        """
        replace_budgets(self.connection, budgets, time_zone)
        self.spending = load_spending(self.connection, budgets, time_zone)
        self._pipeline.watch_spending(time_zone if budgets else None)

    def gather_log(self, unit: Literal["minute", "hour"], until: datetime) -> None:
        """Sum the ingest log before `until` (UTC, without a zone) by this unit: its rows are one a batch at first."""
        values = {"unit": unit, "length_s": _LENGTH_S[unit], "until": until}
        with self.transaction():
            gathered = self.connection.execute(catalog.sql("normalize", "gathered_ingest_log"), values).to_arrow_table()
            if gathered.num_rows:
                self.connection.execute(catalog.sql("normalize", "delete_gathered_log"), values)
                self.connection.from_arrow(gathered).insert_into("store.ingest_log")

    def _readable(self, records: Sequence[Record]) -> Sequence[Record]:
        return redact_records(records) if self._redact else records

    def _note_receipt(self, records: Sequence[Record]) -> None:
        latest_us = max(record.received_at_ns for record in records) // 1000
        received_at = datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(microseconds=latest_us)
        self.received_until = max(self.received_until or received_at, received_at)

    def _store_halves(self, records: Sequence[Record]) -> None:
        middle = len(records) // 2
        self.store(records[:middle])
        self.store(records[middle:])

    def _write(self, batch: Batch, position: Position | None) -> None:
        with self.transaction():
            self._write_rows(batch)
            if position is not None:
                self.connection.execute(
                    "update store.journal_position set segment = ?, byte_offset = ?",
                    [position.segment, position.offset],
                )
        # Not before: the parts of a batch that is rolled back are not stored.
        self.keeping.known.add(batch.contents.new_parts())
        rows = len(batch.spans) + len(batch.logs) + len(batch.metrics)
        self.rows_since_checkpoint += rows + batch.resource_bytes // _BYTES_A_ROW
        if self._pipeline.rollup.is_due:
            self._pipeline.rollup.merge()

    def _write_rows(self, batch: Batch) -> None:
        self._pipeline.take_in(batch)
        if len(batch.spans):
            self._pipeline.fill("touched_traces", "stored_spans")
            self._pipeline.leave_outdated()
            self._pipeline.normalize(batch.present_slots)
            self._pipeline.write("insert_spans", "insert_span_events")
            self._pipeline.settle(tells_alerts=batch.tells_alerts)
        if len(batch.logs):
            self._pipeline.fill("new_logs")
        if len(batch.metrics):
            self._pipeline.fill("new_metrics")
        if len(batch.logs) or len(batch.metrics):
            self._pipeline.write("insert_log_records", "insert_metric_points")
        if batch.may_evaluate:
            self._pipeline.fill("new_evaluations")
            self._pipeline.write("insert_evaluations")
        if len(batch.contents):
            self._pipeline.write("insert_span_content")
        if len(batch.spans) or len(batch.logs) or len(batch.metrics):
            self._pipeline.write("insert_ingest_log")
        for refusal in batch.refusals:
            values = {name: refusal[name] for name in ("last_at_ns", "signal", "count", "reason")}
            self.connection.execute(catalog.sql("normalize", "insert_refusal"), values)
        self._pipeline.empty()


def _refusal(signal: str, reason: str, at_ns: int) -> dict[str, str | int]:
    return {"signal": signal, "reason": reason, "count": 1, "last_at_ns": at_ns}


def latest_parts(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    """Hour (Unix microseconds) and hash of the parts of content that were stored last."""
    rows = connection.execute(catalog.sql("normalize", "latest_content_parts"), {"most": MOST_KNOWN}).fetchall()
    return [(round(hour.replace(tzinfo=UTC).timestamp()) * 1_000_000, part_hash) for hour, part_hash in rows]


def after(records: Sequence[Record], position: Position) -> Sequence[Record]:
    """The records that follow the one at `position`; all of them where it is not among them."""
    positions = [record.position for record in records]
    return records[positions.index(position) + 1 :] if position in positions else records
