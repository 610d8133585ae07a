"""Where the states of alert rules stand between judgements: rows of `store.alerts`, clocks, and the list of rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from spandeck_collector.alerts.episodes import Change, Episode, RuleState
from spandeck_collector.alerts.judging import Sighting
from spandeck_collector.alerts.rule import AlertRule
from spandeck_collector.alerts.rule_folder import BrokenRule

_EPISODE = "subject, message, value, threshold, trace_id, span_id, state, pending_at, fired_at, quiet_at, resolved_at"


@dataclass
class Clock:
    """How far a rule has come: the last tick that was judged, and the time of receipt up to which nothing came late."""

    evaluated_until: datetime
    received_until: datetime
    state: RuleState = field(default_factory=RuleState)


def load_clock(connection: duckdb.DuckDBPyConnection, rule: AlertRule) -> Clock | None:
    """The clock of a rule with its open episodes; None where it has none or was another rule then."""
    row = connection.execute(
        "select evaluated_until, received_until, seen_subjects from store.alert_clocks where rule = ? and digest = ?",
        [rule.name, rule.digest],
    ).fetchone()
    if row is None:
        return None
    state = RuleState({each.subject: each for each in load_episodes(connection, rule) if each.is_open})
    for subject, (first, last) in json.loads(row[2]).items():
        state.seen[subject] = (datetime.fromisoformat(first), datetime.fromisoformat(last))
    return Clock(row[0], row[1], state)


def load_episodes(
    connection: duckdb.DuckDBPyConnection, rule: AlertRule, since: datetime | None = None
) -> list[Episode]:
    """The episodes of a rule with a window: those open now, and those that were at or after `since`."""
    rows = connection.execute(
        f"select {_EPISODE} from store.alerts where rule = ? and not follows_trace and raised_by = 'store' "
        "and (state != 'resolved' or resolved_at >= ?) order by pending_at, subject",
        [rule.name, since],
    ).fetchall()
    return [Episode(*row) for row in rows]


def save_clock(connection: duckdb.DuckDBPyConnection, rule: AlertRule, clock: Clock) -> None:
    """Write a clock; belongs into the transaction that writes what it judged."""
    seen = {subject: [time.isoformat() for time in times] for subject, times in clock.state.seen.items()}
    connection.execute("delete from store.alert_clocks where rule = ?", [rule.name])
    connection.execute(
        "insert into store.alert_clocks values (?, ?, ?, ?, ?)",
        [rule.name, rule.digest, clock.evaluated_until, clock.received_until, json.dumps(seen)],
    )


def save_changes(connection: duckdb.DuckDBPyConnection, rule: AlertRule, changes: Iterable[Change]) -> None:
    """Write what judgements did to episodes, in their order."""
    _put(connection, rule, {_key(rule, each): change.after for change in changes for each in _sides(change)})


def replace_episodes(
    connection: duckdb.DuckDBPyConnection, rule: AlertRule, gone: Iterable[Episode], kept: Iterable[Episode]
) -> None:
    """Put `kept` in place of `gone`."""
    _put(connection, rule, {_key(rule, each): None for each in gone} | {_key(rule, each): each for each in kept})


def _sides(change: Change) -> tuple[Episode, ...]:
    side = change.after or change.before
    return () if side is None else (side,)


def _put(connection: duckdb.DuckDBPyConnection, rule: AlertRule, by_key: dict[str, Episode | None]) -> None:
    """Write episodes by their keys; None takes one away."""
    if not by_key:
        return
    connection.execute(
        "delete from store.alerts where rule = ? and alert_key in (select unnest(?::varchar[]))",
        [rule.name, list(by_key)],
    )
    rows = [_row(rule, key, episode) for key, episode in by_key.items() if episode is not None]
    if rows:
        columns, places = ", ".join(rows[0]), ", ".join("?" for _ in rows[0])
        insert = f"insert into store.alerts ({columns}) values ({places})"
        connection.executemany(insert, [list(row.values()) for row in rows])


def save_sightings(connection: duckdb.DuckDBPyConnection, found: Sequence[Sighting], received_at: datetime) -> int:
    """Write what a user's rule with a key says, each once; how many are new."""
    known = _known(connection, [each.alert_key for each in found])
    fresh = [each for each in found if each.alert_key not in known]
    for each in found:
        if known.get(each.alert_key, each.repeat_count) < each.repeat_count:
            connection.execute(
                "update store.alerts set repeat_count = ?, last_at = ?, value = ?, message = ? where alert_key = ?",
                [each.repeat_count, each.last_at, each.value, each.message, each.alert_key],
            )
    for each in fresh:
        connection.execute(
            "insert into store.alerts (rule, severity, subject, message, value, threshold, fired_at, pending_at, "
            "last_at, repeat_count, state, trace_id, span_id, alert_key, follows_trace, raised_by, noticed_at) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'firing', ?, ?, ?, false, 'store', ?)",
            [
                *(each.rule, each.severity, each.subject, each.message, each.value, each.threshold),
                *(each.fired_at, each.fired_at, each.last_at, each.repeat_count),
                *(each.trace_id, each.span_id, each.alert_key, received_at),
            ],
        )
    return len(fresh)


def list_rules(connection: duckdb.DuckDBPyConnection, rules: Iterable[AlertRule], broken: Iterable[BrokenRule]) -> None:
    """Write the rules in force and those that are not, with the reason."""
    connection.execute("delete from store.alert_rules")
    bad = {each.name: each for each in broken}
    for rule in rules:
        error = bad.pop(rule.name, None)
        connection.execute(
            "insert into store.alert_rules values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *(rule.name, rule.source, rule.severity, rule.judged),
                *((None, None, None) if rule.key else _seconds(rule)),
                rule.cool_down.total_seconds(),
                *((None, None) if rule.key else (rule.minimum_volume, rule.no_data)),
                *(rule.message, rule.query, error and error.reason, error and error.line),
            ],
        )
    for each in bad.values():
        connection.execute(
            "insert into store.alert_rules (rule, source, error, error_line) values (?, ?, ?, ?)",
            [each.name, each.source, each.reason, each.line],
        )


def _seconds(rule: AlertRule) -> tuple[float, float, float]:
    return rule.window.total_seconds(), rule.interval.total_seconds(), rule.hold.total_seconds()


def _known(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(
        "select alert_key, repeat_count from store.alerts where alert_key in (select unnest(?::varchar[]))", [keys]
    ).fetchall()
    return dict(rows)


def _key(rule: AlertRule, episode: Episode) -> str:
    return f"{rule.name}/{episode.subject}/{episode.pending_at.isoformat()}"


def _row(rule: AlertRule, key: str, episode: Episode) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "severity": rule.severity,
        "subject": episode.subject,
        "message": episode.message,
        "value": episode.value,
        "threshold": episode.threshold,
        "trace_id": episode.trace_id,
        "span_id": episode.span_id,
        "state": episode.state,
        "pending_at": episode.pending_at,
        "fired_at": episode.fired_at,
        "quiet_at": episode.quiet_at,
        "resolved_at": episode.resolved_at,
        "last_at": episode.fired_at or episode.pending_at,
        "repeat_count": 1,
        "alert_key": key,
        "follows_trace": False,
        "raised_by": "store",
        "noticed_at": episode.fired_at or episode.pending_at,
    }
