"""Deletes what is older than the settings allow, a bounded number of rows at a time; for the writing thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import duckdb

from spandeck_collector.settings import Settings
from spandeck_collector.store.ingest import Ingest
from spandeck_schema.retention import RULES, Rule

_LOG = logging.getLogger(__name__)
_EVERY_S = 3600.0
_MOST_ROWS = 20_000
_MOST_TRACES = 5_000


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Retention:
    """`step` once between two batches; a run over all rules begins at the start and every hour.

    Hourly, because texts should go soon after their time; what there is to delete is a day's work spread evenly.
    """

    def __init__(
        self,
        ingest: Ingest,
        settings: Settings,
        *,
        rules: Sequence[Rule] = RULES,
        now: Callable[[], datetime] = _utc_now,
        most_rows: int = _MOST_ROWS,
        told: Callable[[int], None] = lambda count: None,
    ) -> None:
        """`now` is the time (UTC, without a zone) that ages are counted to, `most_rows` what one step may delete.

        `told` gets the number of rows that a step deleted.
        """
        self._ingest = ingest
        self._settings = settings
        self._rules = rules
        self._now = now
        self._most_rows = most_rows
        self._waiting: list[Rule] = []
        self._begin_at = 0.0
        self._told = told

    def step(self) -> bool:
        """Delete the next rows, if any are due; whether there may be more."""
        if not self._waiting:
            if time.monotonic() < self._begin_at:
                return False
            self._begin_at = time.monotonic() + _EVERY_S
            self._waiting = [rule for rule in self._rules if getattr(self._settings, rule.days)]
        try:
            self._step()
        except duckdb.FatalException:
            raise
        except duckdb.Error as error:
            self._waiting.clear()
            _LOG.warning("Old rows could not be deleted and are tried an hour later: %s", error)
        return bool(self._waiting)

    def _step(self) -> None:
        rule = self._waiting[0]
        most_rows = min(self._most_rows, _MOST_TRACES) if rule.followers else self._most_rows
        cutoff = self._now() - timedelta(days=getattr(self._settings, rule.days))
        execute = self._ingest.connection.execute
        ((until,),) = execute(rule.until(most_rows), {"cutoff": cutoff}).fetchall()
        if until is None:
            self._waiting.pop(0)
            return
        count = 0
        with self._ingest.transaction():
            for statement in rule.deletes():
                ((deleted,),) = execute(statement, {"until": until}).fetchall()
                count += deleted
        self._told(count)
        # Deleted rows leave the file with a checkpoint, as new ones come to it.
        self._ingest.rows_since_checkpoint += count
