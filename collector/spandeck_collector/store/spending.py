"""What is spent of each budget, kept in memory so that a run is told within a millisecond whether it may go on.

The writing thread adds what each committed batch changed; requests read. What runs tell of themselves counts at once,
what their spans tell counts when they are stored: of a session the larger of the two stands, so nothing counts twice.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from spandeck_collector.store.budget_file import EACH, FILTERS, Budget
from spandeck_schema import catalog

_MOST_SESSIONS = 100_000
_MOST_TOLD_SESSIONS = 2_000
_MODEL = FILTERS.index("model")

Change = tuple[Any, ...]
"""service, agent_name, user_id, model, session_id, day in the owner's zone, USD, calls without a price."""


@dataclass(frozen=True)
class Run:
    """Who asks: the values of `FILTERS` as far as they are known, and the session.

    `told_usd` is what the run `run_id` itself has spent in the session so far; spans of it may still be on their way.
    """

    values: tuple[str | None, ...]
    session_id: str | None
    run_id: str | None = None
    told_usd: float = 0.0


@dataclass
class _Sum:
    usd: float = 0.0
    unpriced_count: int = 0


@dataclass
class _Session:
    observed_usd: float = 0.0
    told: dict[str, Run] = field(default_factory=dict)

    @property
    def unseen_usd(self) -> float:
        """What its runs have told, and no stored span yet."""
        return max(sum(run.told_usd for run in self.told.values()) - self.observed_usd, 0.0)


class Spending:
    """The account of all budgets; safe for threads."""

    def __init__(self, budgets: Sequence[Budget], time_zone: str, *, most_sessions: int = _MOST_SESSIONS) -> None:
        """`most_sessions` is how many of them are remembered."""
        self.budgets = tuple(budgets)
        self._most_sessions = most_sessions
        self._zone = ZoneInfo(time_zone)
        self._lock = threading.Lock()
        # Apart, because sessions are without end: however many come, none takes the place of what a day has spent.
        self._sums: dict[str, OrderedDict[tuple[object, ...], _Sum]] = {"day": OrderedDict(), "session": OrderedDict()}
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._telling: OrderedDict[str, _Session] = OrderedDict()

    def add(self, changes: Iterable[Change]) -> None:
        """Add what a committed batch changed; what it takes back is negative."""
        with self._lock:
            for *values, session_id, day, usd, unpriced_count in changes:
                if session_id is not None:
                    self._session(session_id).observed_usd += usd
                for period, key in self._keys(values, session_id, day):
                    sums = self._sums[period]
                    total = sums.setdefault(key, _Sum())
                    sums.move_to_end(key)
                    total.usd += usd
                    total.unpriced_count += unpriced_count
            self._forget()

    def check(self, run: Run) -> dict[str, Any]:
        """Whether the run may go on, why not, and the state of each budget that it falls under."""
        today = datetime.now(UTC).astimezone(self._zone).date()
        with self._lock:
            self._tell(run)
            states = list(self._states(run, today))
        over = next((state for state in states if state["state"] == "hard"), None)
        return {"allowed": over is None, "reason": over and _sentence(over), "budgets": states}

    def _tell(self, run: Run) -> None:
        if run.session_id is None or run.run_id is None:
            return
        session = self._session(run.session_id)
        before = session.told.get(run.run_id)
        if before is None or before.told_usd <= run.told_usd:
            session.told[run.run_id] = run
        self._telling[run.session_id] = session
        self._telling.move_to_end(run.session_id)
        if len(self._telling) > _MOST_TOLD_SESSIONS:
            self._telling.popitem(last=False)

    def _states(self, run: Run, today: date) -> Iterator[dict[str, Any]]:
        for number, budget in enumerate(self.budgets):
            period = run.session_id if budget.period == "session" else today
            if period is None or not _falls_under(budget, run.values):
                continue
            subject = _subject(budget, run.values)
            stored = self._stored(budget, (number, subject, period))
            spent = stored.usd + self._unseen(budget, subject, run.session_id)
            yield _state(budget, max(spent, 0.0), stored.unpriced_count)

    def _stored(self, budget: Budget, key: tuple[object, ...]) -> _Sum:
        sums = self._sums[budget.period]
        if key not in sums:
            return _Sum()
        # Who may not go on spends nothing more, and is asked for all the same.
        sums.move_to_end(key)
        return sums[key]

    def _unseen(self, budget: Budget, subject: tuple[object, ...], session_id: str | None) -> float:
        """What runs under the budget have told and no span yet; of a model's share nobody tells."""
        if budget.filters[_MODEL] is not None:
            return 0.0
        if budget.period == "session":
            session = self._sessions.get(session_id) if session_id is not None else None
            sessions = [session] if session else []
        else:
            sessions = list(self._telling.values())
        return sum(session.unseen_usd for session in sessions if _is_of(session, budget, subject))

    def _keys(
        self, values: Sequence[str | None], session_id: str | None, day: date | None
    ) -> Iterator[tuple[str, tuple[object, ...]]]:
        """What a change counts for: the kind of period, and the key of the sum."""
        for number, budget in enumerate(self.budgets):
            period = session_id if budget.period == "session" else day
            if period is not None and _falls_under(budget, values):
                yield budget.period, (number, _subject(budget, values), period)

    def _session(self, session_id: str) -> _Session:
        session = self._sessions.setdefault(session_id, _Session())
        self._sessions.move_to_end(session_id)
        return session

    def _forget(self) -> None:
        """Let go of what was used longest ago, before it takes too much memory."""
        while len(self._sessions) > self._most_sessions:
            session_id, _ = self._sessions.popitem(last=False)
            self._telling.pop(session_id, None)
        most_sums = self._most_sessions * max(len(self.budgets), 1)
        for sums in self._sums.values():
            while len(sums) > most_sums:
                sums.popitem(last=False)


def load_spending(connection: duckdb.DuckDBPyConnection, budgets: Sequence[Budget], time_zone: str) -> Spending:
    """The account by what is stored: of sessions with a call in the last 7 days, and of the last 2 days."""
    spending = Spending(budgets, time_zone)
    if budgets:
        sql = catalog.sql("settle", "stored_spending")
        spending.add(connection.execute(sql, {"zone": time_zone}).fetchall())
    return spending


def _falls_under(budget: Budget, values: Sequence[str | None]) -> bool:
    return all(
        wanted is None or (value is not None if wanted == EACH else value == wanted)
        for wanted, value in zip(budget.filters, values, strict=True)
    )


def _subject(budget: Budget, values: Sequence[str | None]) -> tuple[object, ...]:
    return tuple(value for wanted, value in zip(budget.filters, values, strict=True) if wanted == EACH)


def _is_of(session: _Session, budget: Budget, subject: tuple[object, ...]) -> bool:
    return any(
        _falls_under(budget, run.values) and _subject(budget, run.values) == subject for run in session.told.values()
    )


def _state(budget: Budget, spent_usd: float, unpriced_count: int) -> dict[str, Any]:
    state = "ok"
    if budget.hard_usd is not None and spent_usd >= budget.hard_usd:
        state = "hard"
    elif budget.soft_usd is not None and spent_usd >= budget.soft_usd:
        state = "soft"
    return {
        "budget": budget.name,
        "period": budget.period,
        "state": state,
        "spent_usd": spent_usd,
        "soft_usd": budget.soft_usd,
        "hard_usd": budget.hard_usd,
        "left_usd": None if budget.hard_usd is None else max(budget.hard_usd - spent_usd, 0.0),
        "unpriced_call_count": unpriced_count,
    }


def _sentence(state: dict[str, Any]) -> str:
    whose = "session" if state["period"] == "session" else "day"
    return (
        f"The budget {state['budget']!r} of ${state['hard_usd']:g} a {whose} is spent (${state['spent_usd']:.4f}): "
        "wait for the next one, or raise it in budgets.toml."
    )
