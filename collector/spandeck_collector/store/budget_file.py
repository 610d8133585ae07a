"""`budgets.toml`: how much may be spent, by whom, in a day or a session (format: docs/money.md)."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

import duckdb

EACH = "*"
"""The value of a filter that makes a budget of its own for each value."""

FILTERS = ("service", "agent_name", "user_id", "model")
PERIODS = ("day", "session")
_KEYS = {"name", "period", *FILTERS, "soft_usd", "hard_usd"}


class BudgetFileError(ValueError):
    """The text is no valid budgets.toml; the sentence names the entry, the value and the rule."""


@dataclass(frozen=True)
class Budget:
    """One budget; filters in the order of `FILTERS`: a value, `*` for each value, None for all together.

    At `soft_usd` a warning is due, at `hard_usd` runs are refused; at least one of them is set.
    """

    name: str
    period: str
    filters: tuple[str | None, ...]
    soft_usd: float | None
    hard_usd: float | None


def parse_budgets(text: str) -> tuple[Budget, ...]:
    """Read the text of a budgets.toml. Raises `BudgetFileError`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BudgetFileError(f"budgets.toml is not valid TOML: {error}.") from error
    entries = data.pop("budgets", [])
    if data or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BudgetFileError("budgets.toml may hold entries alone that begin with [[budgets]].")
    budgets = tuple(_budget(f"budgets entry {number}", entry) for number, entry in enumerate(entries, start=1))
    names = [budget.name for budget in budgets]
    for name in names:
        if names.count(name) > 1:
            raise BudgetFileError(f"Two budgets are called {name!r}: give each a name of its own.")
    return budgets


def replace_budgets(connection: duckdb.DuckDBPyConnection, budgets: tuple[Budget, ...], time_zone: str) -> None:
    """Make these the rows of `store.budgets`."""
    connection.execute("delete from store.budgets")
    rows = [(budget.name, budget.period, time_zone, *budget.filters, *astuple(budget)[3:]) for budget in budgets]
    if rows:
        connection.executemany("insert into store.budgets values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _budget(where: str, entry: Mapping[str, Any]) -> Budget:
    for key in entry:
        if key not in _KEYS:
            raise BudgetFileError(f"{where} has the unknown key {key!r}: known are {', '.join(sorted(_KEYS))}.")
    name, period = entry.get("name"), entry.get("period", "day")
    if not isinstance(name, str) or not name.strip():
        raise BudgetFileError(f"{where} name is {name!r}: it must be a text.")
    if period not in PERIODS:
        raise BudgetFileError(f"{where} period is {period!r}: it must be day or session.")
    filters = tuple(_filter(f"{where} {key}", entry.get(key)) for key in FILTERS)
    soft, hard = (_usd(f"{where} {key}", entry.get(key)) for key in ("soft_usd", "hard_usd"))
    if soft is None and hard is None:
        raise BudgetFileError(f"{where} has no amount: give soft_usd, hard_usd or both.")
    if soft is not None and hard is not None and soft > hard:
        raise BudgetFileError(f"{where} soft_usd is {soft:g}: it must be at most hard_usd, {hard:g}.")
    return Budget(name.strip(), period, filters, soft, hard)


def _filter(where: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise BudgetFileError(f"{where} is {value!r}: it must be a text, or '*' for a budget of each.")


def _usd(where: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    raise BudgetFileError(f"{where} is {value!r}: it must be a number of US dollars, 0 or more.")
