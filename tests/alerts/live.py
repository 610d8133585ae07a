"""A store with a clock of its own: what arrives is stored and judged at the time of its receipt, in order."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spandeck_collector.alerts.backtest import PastAlert, backtest
from spandeck_collector.alerts.rule import AlertRule, shipped_rules
from spandeck_collector.alerts.rule_folder import RuleFolder
from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.store.alert_watch import AlertWatch
from tests.schema import otlp
from tests.schema.sandbox import Sandbox

GRACE = timedelta(seconds=15)
NOON = otlp.NOON.replace(tzinfo=None)
FEED = (
    "select rule, severity, subject, message, value, threshold, fired_at, resolved_at, state, trace_id, span_id, "
    "repeat_count from alerts order by all"
)


class Live:
    """A sandbox whose alerts are judged; `folder` holds the user's rules."""

    def __init__(self, sandbox: Sandbox, folder: Path | None = None, now: datetime = NOON) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.now = now
        self.watch = self._watch()

    def _watch(self) -> AlertWatch:
        watch = AlertWatch(self.sandbox.ingest, RuleFolder(self.folder), GRACE)
        watch.take_turn(self.now, is_busy=False)
        return watch

    def restart(self) -> None:
        """As after a kill of the process."""
        self.watch.close()
        self.sandbox.restart()
        self.watch = self._watch()

    def receive(self, at: datetime, *bodies: tuple[Signal, bytes]) -> None:
        """Store what is received at a time (UTC without a zone), and judge what is due then."""
        self.now = at
        self.store(at, *bodies)
        self.judge()

    def store(self, at: datetime, *bodies: tuple[Signal, bytes]) -> None:
        """Store without judging."""
        ns = round(at.replace(tzinfo=UTC).timestamp() * 1e6) * 1000
        records = []
        for signal, body in bodies:
            self.sandbox.batch_count += 1
            records.append(Record(signal, ns, body, Position(1, self.sandbox.batch_count)))
        self.sandbox.ingest.store(records)

    def judge(self) -> None:
        """Judge all that is due now; what waits a while in a running store is looked at at once."""
        for watched in self.watch._watched.values():
            watched.looked_at = watched.rewind_at = 0.0
        assert self.watch.judge_until(self.now, float("inf"))

    def until(self, at: datetime) -> None:
        """Let time pass without anything new."""
        while self.now < at:
            self.now = min(self.now + timedelta(seconds=30), at)
            self.judge()

    def spans(self, at: datetime, *spans: otlp.Words) -> None:
        """Receive spans (times in ms after NOON)."""
        self.receive(at, (Signal.TRACES, otlp.traces(spans)))

    def feed(self) -> list[tuple[Any, ...]]:
        """The rows of the feed."""
        return self.sandbox.connection.execute(FEED).fetchall()

    def fired(self, rule: str) -> list[tuple[Any, ...]]:
        """Subject, state and message of what a rule fired."""
        return self.sandbox.connection.execute(
            "select subject, state, message from alerts where rule = ? and state != 'pending' order by all", [rule]
        ).fetchall()

    def ask(self, sql: str, params: Sequence[Any]) -> tuple[list[str], list[Any]]:
        """As the query service answers."""
        result = self.sandbox.connection.cursor().execute(sql, list(params))
        return [column[0] for column in result.description or ()], result.fetchall()

    def past(self, since: datetime, until: datetime, rules: Iterable[AlertRule] | None = None) -> list[tuple[Any, ...]]:
        """The rows that a backtest of all rules gives, in the order of the feed."""
        found: list[PastAlert] = []
        for rule in rules or shipped_rules():
            found += backtest(rule, self.ask, since, until)
        return sorted((tuple(vars(each).values()) for each in found), key=_by_all)


def by_all(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in one order, whatever they hold."""
    return sorted(rows, key=_by_all)


def _by_all(row: tuple[Any, ...]) -> list[str]:
    return [str(cell) for cell in row]
