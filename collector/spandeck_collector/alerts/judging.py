"""Asks a rule's query, of whoever answers SQL: the store's own connection, or the query service for the past."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from spandeck_collector.alerts.episodes import Reading
from spandeck_collector.alerts.rule import SPAN_COLUMNS, WINDOW_COLUMNS, AlertRule, RuleError
from spandeck_collector.alerts.rule_sql import MOST_READINGS, columns_query, readings_query, sightings_query

Ask = Callable[[str, Sequence[Any]], tuple[Sequence[str], Sequence[Sequence[Any]]]]
"""Names of the columns and rows of a query with its parameters $1, $2."""

_LINE = re.compile(r"LINE (\d+):")


@dataclass(frozen=True)
class Sighting:
    """What a rule with a key says of one span or trace; times are UTC without a zone."""

    rule: str
    severity: str
    subject: str
    message: str
    value: float | None
    threshold: float | None
    fired_at: datetime
    last_at: datetime
    repeat_count: int
    trace_id: str
    span_id: str | None
    alert_key: str


class Judge:
    """One rule and who answers it."""

    def __init__(self, rule: AlertRule, ask: Ask) -> None:
        """Raises `RuleError` for a query that misses a column; what `ask` raises passes through."""
        self.rule = rule
        self._ask = ask
        now = datetime.now(UTC).replace(tzinfo=None)
        columns, _ = ask(columns_query(rule), _times(now, now))
        check_columns(rule, columns)
        self._sql = sightings_query(rule) if rule.key else readings_query(rule, has_volume="volume" in columns)

    def readings(self, tick: datetime) -> list[Reading]:
        """What the rule says of the window that ends at `tick`. Raises `RuleError` for too many subjects."""
        _, rows = self._ask(self._sql, _times(tick - self.rule.window, tick))
        if len(rows) > MOST_READINGS:
            raise RuleError(
                f"Alert rule {self.rule.name} has more than {MOST_READINGS:,} subjects: group by something coarser."
            )
        return [Reading(*row) for row in rows]

    def sightings(self, since: datetime, until: datetime) -> list[Sighting]:
        """What the rule says of all that began from `since` to before `until`, by time."""
        columns, rows = self._ask(self._sql, _times(since, until))
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        for row in found:
            del row["follows_trace"]
            row["fired_at"], row["last_at"] = _time(row["fired_at"]), _time(row["last_at"])
        return [Sighting(**row) for row in found]


def check_columns(rule: AlertRule, columns: Sequence[str]) -> None:
    """Raise `RuleError` unless a rule's query returns what it must."""
    for name in SPAN_COLUMNS if rule.key else WINDOW_COLUMNS:
        if name not in columns:
            raise RuleError(
                f"Alert rule {rule.name} returns no column {name!r}: add it to the SELECT "
                f"(it needs {', '.join(SPAN_COLUMNS if rule.key else WINDOW_COLUMNS)})."
            )


def sql_error(rule: AlertRule, error: Exception) -> RuleError:
    """What a database says of a rule's SQL, with the line of the file where it tells one."""
    text = str(error)
    found = _LINE.search(text)
    reason = next((line for line in text.splitlines() if line.strip()), type(error).__name__)
    return RuleError(f"Alert rule {rule.name}: {reason[:400]}", int(found[1]) if found else None)


def _times(since: datetime, until: datetime) -> list[str]:
    return [since.isoformat(), until.isoformat()]


def _time(value: Any) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else value
