"""Judges alert rules between two batches: rules with a window by the clock, a user's rules about spans by arrival.

Nothing here holds up ingestion for long: a turn takes a few milliseconds while spans wait, a query has a deadline.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import duckdb

from spandeck_collector.alerts.episodes import Change, judge, rewind_to, rewound, tick_at_or_before
from spandeck_collector.alerts.judging import Judge, sql_error
from spandeck_collector.alerts.rule import SHIPPED, AlertRule, RuleError
from spandeck_collector.alerts.rule_folder import BrokenRule, RuleFolder
from spandeck_collector.alerts.rule_sql import bound_query, readings_query, sightings_query
from spandeck_collector.store.alert_rules import arrival_rules
from spandeck_collector.store.alert_states import (
    Clock,
    list_rules,
    load_clock,
    load_episodes,
    replace_episodes,
    save_changes,
    save_clock,
    save_sightings,
)
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.query_gate import QueryError, check

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.25
_FILES_S = 1.0
_ARRIVALS_S = 1.0
_LATE_S = 5.0
_BUSY_TURN_S = 0.01
_IDLE_TURN_S = 0.25
_SAVE_S = 300.0
_DEADLINE_S = 5.0
_FIRST_RETRY_S, _LAST_RETRY_S = 30.0, 3600.0
_LOOK_BACK = timedelta(hours=2)
_REWIND_PACE = 50
"""After a rewind the next one waits for a fiftieth of the time that was judged again."""


@dataclass
class _Watched:
    """A rule that is judged here. Times of `retry_at`, `saved_at` and `rewind_at` are those of the monotonic clock."""

    rule: AlertRule
    judge: Judge
    clock: Clock
    retry_at: float = 0.0
    retry_s: float = _FIRST_RETRY_S
    saved_at: float = 0.0
    looked_at: float = 0.0
    rewind_at: float = 0.0


class AlertWatch:
    """For the writing thread, outside its transactions. `grace` is how long after its end a window is judged."""

    def __init__(self, ingest: Ingest, folder: RuleFolder, grace: timedelta) -> None:
        self._ingest = ingest
        self._folder = folder
        self._grace = grace
        self._cursor = ingest.connection.cursor()
        self._deadline = _Deadline(self._cursor)
        self._watched: dict[str, _Watched] = {}
        self._broken: dict[str, BrokenRule] = {}
        self._rules: list[AlertRule] = []
        self._look_at = self._files_at = 0.0
        self._earliest: dict[tuple[datetime, datetime], datetime | None] = {}

    def close(self) -> None:
        """Judge no more."""
        self._deadline.close()
        self._cursor.close()

    def take_turn(self, now: datetime, *, is_busy: bool) -> None:
        """Judge what is due at `now` (UTC without a zone), up to which all that was received is stored.

        Raises `duckdb.FatalException` when the database must be opened anew.
        """
        began = time.monotonic()
        if began < self._look_at:
            return
        self._look_at = began + _LOOK_S
        if began >= self._files_at:
            self._files_at = began + _FILES_S
            if self._folder.has_changed():
                self._load(now)
        self.judge_until(now, began + (_BUSY_TURN_S if is_busy else _IDLE_TURN_S))

    def judge_until(self, now: datetime, deadline: float) -> bool:
        """Judge what is due at `now`, the rule that is furthest behind first; True when nothing is left."""
        if not self._watched:
            self._load(now)
        for watched in sorted(self._watched.values(), key=lambda each: each.clock.evaluated_until):
            if time.monotonic() < watched.retry_at:
                continue
            with self._reported(watched):
                if watched.rule.key:
                    self._judge_arrivals(watched)
                else:
                    self._judge_windows(watched, now, deadline)
            if time.monotonic() > deadline:
                return False
        return True

    def _load(self, now: datetime) -> None:
        found = self._folder.read()
        self._broken = dict(found.broken)
        self._rules = list(found.rules.values())
        at_arrival = {rule.name for rule in arrival_rules() if rule in self._rules}
        before, self._watched = self._watched, {}
        new = [
            rule.name
            for rule in self._rules
            if rule.name not in at_arrival and self._begin(rule, before.get(rule.name), now)
        ]
        self._ingest.silence_rules({rule.name for rule in arrival_rules()} - at_arrival)
        with self._ingest.transaction():
            self._end_others({*at_arrival, *self._broken, *self._watched} - set(new), now)
            for name in new:
                save_clock(self._ingest.connection, self._watched[name].rule, self._watched[name].clock)
        self._list_rules()

    def _begin(self, rule: AlertRule, known: _Watched | None, now: datetime) -> bool:
        """Watch a rule, going on where it stood if it is the same; True when it begins anew."""
        if known is not None and known.rule == rule:
            self._watched[rule.name] = known
            return False
        try:
            if rule.source != SHIPPED:
                self._check(rule)
            judge_ = Judge(rule, self._ask)
        except (RuleError, duckdb.Error) as error:
            self._break(rule, error if isinstance(error, RuleError) else sql_error(rule, error))
            return False
        stood = load_clock(self._ingest.connection, rule)
        begin = tick_at_or_before(now, rule.interval) if rule.window else now
        clock = stood or Clock(begin, self._ingest.received_until or now)
        self._watched[rule.name] = _Watched(rule, judge_, clock)
        return stood is None

    def _check(self, rule: AlertRule) -> None:
        """Raise `RuleError` unless a user might send the rule's query as a query."""
        wrapped = sightings_query(rule) if rule.key else readings_query(rule, has_volume=False)
        try:
            check(self._cursor, bound_query(rule))
            check(self._cursor, wrapped)
        except QueryError as error:
            raise sql_error(rule, error) from None

    def _end_others(self, names: set[str], now: datetime) -> None:
        """What rules said that are gone or changed is over; `names` are those that go on."""
        connection = self._ingest.connection
        theirs = "not follows_trace and raised_by = 'store' and rule not in (select unnest(?::varchar[]))"
        connection.execute(f"delete from store.alerts where state = 'pending' and {theirs}", [list(names)])
        connection.execute(
            "update store.alerts set state = 'resolved', resolved_at = coalesce(quiet_at, ?) "
            f"where state in ('firing', 'no_data') and {theirs}",
            [now, list(names)],
        )
        connection.execute(
            "delete from store.alert_clocks where rule not in (select unnest(?::varchar[]))", [list(names)]
        )

    def _judge_windows(self, watched: _Watched, now: datetime, deadline: float) -> None:
        rule, clock = watched.rule, watched.clock
        self._skip_what_is_too_old(watched, now)
        due_until = tick_at_or_before(now - self._grace, rule.interval)
        if due_until <= clock.evaluated_until:
            self._look_for_late(watched, now)
            return
        changes: list[Change] = []
        while clock.evaluated_until < due_until:
            tick = clock.evaluated_until + rule.interval
            changes += judge(rule, clock.state, tick, watched.judge.readings(tick))
            clock.evaluated_until = tick
            if time.monotonic() > deadline:
                break
        if changes or time.monotonic() - watched.saved_at > _SAVE_S:
            self._save(watched, changes)

    def _save(self, watched: _Watched, changes: Sequence[Change]) -> None:
        with self._ingest.transaction():
            save_changes(self._ingest.connection, watched.rule, changes)
            save_clock(self._ingest.connection, watched.rule, watched.clock)
        self._ingest.rows_since_checkpoint += 1 + len(changes)
        watched.saved_at = time.monotonic()

    def _skip_what_is_too_old(self, watched: _Watched, now: datetime) -> None:
        oldest = tick_at_or_before(now - _LOOK_BACK, watched.rule.interval)
        watched.clock.evaluated_until = max(watched.clock.evaluated_until, oldest)

    def _look_for_late(self, watched: _Watched, now: datetime) -> None:
        """Go back to where data belong that came after their windows were judged."""
        begin = time.monotonic()
        if begin < max(watched.looked_at + _LATE_S, watched.rewind_at):
            return
        watched.looked_at = begin
        clock = watched.clock
        received_until = self._ingest.received_until
        if received_until is None or received_until <= clock.received_until:
            return
        late_at = self._earliest_received(clock.received_until, received_until)
        clock.received_until = received_until
        if late_at is None or late_at > clock.evaluated_until:
            return
        self._rewind(watched, late_at, now)

    def _rewind(self, watched: _Watched, late_at: datetime, now: datetime) -> None:
        rule, clock, connection = watched.rule, watched.clock, self._ingest.connection
        at = rewind_to(rule, late_at)
        episodes = load_episodes(connection, rule, at)
        if not episodes:
            # Nothing was quiet for a while, so that the cool-down need not be judged again.
            at = rewind_to(replace(rule, cool_down=timedelta()), late_at)
        at = max(at, tick_at_or_before(now - _LOOK_BACK, rule.interval))
        if at >= clock.evaluated_until:
            return
        watched.rewind_at = time.monotonic() + (clock.evaluated_until - at).total_seconds() / _REWIND_PACE
        kept = rewound(episodes, at)
        clock.evaluated_until = at
        clock.state.episodes = {each.subject: each for each in kept if each.is_open}
        seen = clock.state.seen.items()
        clock.state.seen = {subject: (first, min(last, at)) for subject, (first, last) in seen if first <= at}
        with self._ingest.transaction():
            replace_episodes(connection, rule, episodes, kept)
            save_clock(connection, rule, clock)

    def _judge_arrivals(self, watched: _Watched) -> None:
        begin = time.monotonic()
        if begin < watched.looked_at + _ARRIVALS_S:
            return
        watched.looked_at = begin
        clock = watched.clock
        received_until = self._ingest.received_until
        if received_until is None or received_until <= clock.received_until:
            return
        extent = self._cursor.execute(
            "select min(started_at), max(started_at) from store.spans where received_at > ? and received_at <= ?",
            [clock.received_until, received_until],
        ).fetchone()
        found = []
        if extent and extent[0] is not None:
            found = watched.judge.sightings(extent[0], extent[1] + timedelta(microseconds=1))
        clock.received_until = clock.evaluated_until = received_until
        with self._ingest.transaction():
            count = save_sightings(self._ingest.connection, found, received_until)
            save_clock(self._ingest.connection, watched.rule, clock)
        self._ingest.rows_since_checkpoint += 1 + count

    def _earliest_received(self, after: datetime, until: datetime) -> datetime | None:
        """The earliest end of the spans that were received after one time and until another."""
        if (after, until) not in self._earliest:
            row = self._cursor.execute(
                "select min(coalesce(ended_at, started_at)) from store.spans "
                "where received_at > ? and received_at <= ?",
                [after, until],
            ).fetchone()
            # Rules ask for the same times, one after the other.
            self._earliest = {(after, until): row[0] if row else None}
        return self._earliest[after, until]

    def _ask(self, sql: str, parameters: Sequence[Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self._deadline.running():
            result = self._cursor.execute(sql, list(parameters))
            return [column[0] for column in result.description or ()], result.fetchall()

    @contextmanager
    def _reported(self, watched: _Watched) -> Iterator[None]:
        """An error of a rule is the rule's: it is named and tried again later, and the others run on."""
        try:
            yield
        except duckdb.FatalException:
            raise
        except (RuleError, duckdb.Error) as error:
            told = error if isinstance(error, RuleError) else sql_error(watched.rule, error)
            watched.retry_at = time.monotonic() + watched.retry_s
            watched.retry_s = min(watched.retry_s * 2, _LAST_RETRY_S)
            self._break(watched.rule, told)
            self._list_rules()
        else:
            watched.retry_s = _FIRST_RETRY_S
            if self._broken.pop(watched.rule.name, None):
                self._list_rules()

    def _break(self, rule: AlertRule, error: RuleError) -> None:
        _LOG.warning("%s", error)
        self._broken[rule.name] = BrokenRule(rule.name, rule.source, str(error), error.line)

    def _list_rules(self) -> None:
        with self._ingest.transaction():
            list_rules(self._ingest.connection, self._rules, self._broken.values())


class _Deadline:
    """Interrupts what runs on a cursor for longer than it may; one thread for all queries."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._lock = threading.Lock()
        self._ends_at: float | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._run, name="alert-deadline", daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """What is done inside may take so long."""
        with self._lock:
            self._ends_at = time.monotonic() + _DEADLINE_S
        try:
            yield
        finally:
            with self._lock:
                self._ends_at = None

    def _run(self) -> None:
        while not self._closed.wait(_DEADLINE_S / 10):
            with self._lock:
                if self._ends_at is not None and time.monotonic() > self._ends_at:
                    self._cursor.interrupt()
