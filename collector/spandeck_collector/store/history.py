"""Normalizes stored spans again, some whole traces at a time; for the writing thread, inside its transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from spandeck_collector.store.decode import MOST_SPANS
from spandeck_collector.store.pipeline import Pipeline, planning
from spandeck_schema import catalog
from spandeck_schema.history import restored_spans
from spandeck_schema.mapping import load_mapping

_LOG = logging.getLogger(__name__)
_STATEMENTS = (
    "step_progress",
    "step_events",
    "leave_replaced_spans",
    "keep_lost_facts",
    "insert_changed_spans",
    "delete_changed_spans",
    "repriced_traces",
)
_ALWAYS = datetime(1, 1, 1)


@dataclass(frozen=True)
class Place:
    """A trace in the order of `store.traces`: when its first span came, and its id; what lies behind it is to do."""

    received_at: datetime
    trace_id: str


BEGINNING = Place(datetime(1, 1, 1), "")
"""The place before every trace."""


@dataclass(frozen=True)
class Progress:
    """After a step: of `trace_count` traces in range `done_trace_count` are done, `place` is the last of them.

    `changed_span_count` spans got another row.
    """

    done_trace_count: int
    trace_count: int
    changed_span_count: int
    place: Place


def tell_if_outdated(connection: duckdb.DuckDBPyConnection) -> None:
    """Log a warning when spans are stored that an older mapping normalized; the view `about` says the same."""
    ((mapping, has_spans),) = connection.execute(
        "select normalized_by, exists (from store.spans) from store.about"
    ).fetchall()
    if mapping == catalog.mapping_digest():
        return
    if has_spans:
        _LOG.warning("Stored spans were normalized by an older mapping: run `spandeck normalize --since all`.")
    else:
        connection.execute("update store.about set normalized_by = ?", [catalog.mapping_digest()])


class History:
    """Steps through stored history; needs the temporary tables of a `Pipeline` on the same connection.

    A step takes traces of at most `most_spans` spans together, or one trace that has more.
    """

    most_spans = MOST_SPANS

    def __init__(self, connection: duckdb.DuckDBPyConnection, pipeline: Pipeline) -> None:
        """Plan the statements."""
        self._connection = connection
        self._pipeline = pipeline
        self._halvings = 0
        with planning(connection):
            self._plan()

    def newest(self) -> datetime | None:
        """When the newest trace began to come; None while there is none."""
        row = self._connection.execute("select max(first_received_at) from store.traces").fetchone()
        return row[0] if row else None

    def step(self, since: datetime, until: datetime, behind: Place) -> Progress:
        """Normalize the next traces behind a place: those with a span received from `since` on, known by `until`.

        Times are UTC without a zone. Raises `duckdb.OutOfMemoryException`; after it the next step is half as large.
        """
        with self._halving():
            progress = self._begin(since, until, behind)
            if progress.place == behind:
                return progress
            changed_count = self._normalize()
            self._pipeline.settle(tells_alerts=True)
            self._pipeline.empty()
            return replace(progress, changed_span_count=changed_count)

    def reprice(self, until: datetime, behind: Place) -> Progress:
        """Settle the next traces behind a place, known by `until`, with a call that has another than its present price.

        Raises `duckdb.OutOfMemoryException`; after it the next step is half as large.
        """
        with self._halving():
            progress = self._begin(_ALWAYS, until, behind)
            self._pipeline.write("repriced_traces")
            ((count,),) = self._pipeline.read("count_touched_traces")
            if count:
                self._pipeline.fill("stored_spans")
                self._pipeline.settle(tells_alerts=False)
            self._pipeline.empty()
            return replace(progress, changed_span_count=int(count))

    @contextmanager
    def _halving(self) -> Iterator[None]:
        try:
            yield
        except duckdb.OutOfMemoryException:
            self._halvings += 1
            raise
        self._halvings = max(self._halvings - 1, 0)

    def _begin(self, since: datetime, until: datetime, behind: Place) -> Progress:
        """Fill `step_traces`; the progress once the step is done, at the place of before when there is no trace."""
        extent = f"since := timestamp '{since}', until := timestamp '{until}'"
        place = f"after_at := timestamp '{behind.received_at}', after_id := '{behind.trace_id}'"
        most_spans = max(self.most_spans >> self._halvings, 1)
        self._pipeline.fill(f"step_traces({extent}, {place}, most_spans := {most_spans})")
        ((trace_count, done_count, last_at, last_id),) = self._pipeline.read(f"step_progress({extent})")
        return Progress(done_count, trace_count, 0, behind if last_id is None else Place(last_at, last_id))

    def _normalize(self) -> int:
        """Bring the rows of the step's spans up to date; how many were not."""
        self._pipeline.write("restore_spans", "step_events")
        self._pipeline.fill("touched_traces", "stored_spans", "replaced_spans")
        self._pipeline.write("leave_replaced_spans")
        self._pipeline.normalize()
        self._pipeline.write("keep_lost_facts")
        self._pipeline.fill("changed_spans")
        ((changed_count,),) = self._pipeline.read("count_changed_spans")
        if changed_count:
            self._pipeline.write("insert_changed_spans", "delete_changed_spans")
        return int(changed_count)

    def _plan(self) -> None:
        # No table is made here: after one, every statement prepared before would be planned again at each execution.
        execute = self._connection.execute
        execute(f"prepare fill_step_traces as insert into step_traces {catalog.sql('normalize', 'step_traces')}")
        execute(f"prepare restore_spans as insert into incoming_spans by name {restored_spans(load_mapping())}")
        execute("prepare count_touched_traces as select count(*) from touched_traces")
        execute("prepare count_changed_spans as select count(*) from changed_spans")
        for name in _STATEMENTS:
            execute(f"prepare {name} as {catalog.sql('normalize', name)}")
