"""Measured figures with their unit and, where one was promised, their bound; how a benchmark reports them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`value` in `unit` over `count` cases; `bound` is the most or, with `at_least`, the least it may be."""

    name: str
    value: float
    unit: Literal["%", "us", "ms", "ms/KB", "spans/100 KB", "KiB", "frames/s"]
    count: int
    bound: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def shown(self) -> str:
        return f"{self.value:,.{2 if self.unit.startswith('ms') else 1}f} {self.unit}"

    @property
    def bound_shown(self) -> str:
        return "" if self.bound is None else f"{'>=' if self.at_least else '<='} {self.bound:g} {self.unit}"

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "holds": self.holds}


def percent(part: int, whole: int) -> float:
    return 100 * part / whole


def report(figures: Sequence[Figure], *, as_json: bool) -> int:
    """Print the figures; the exit code is 1 where a bound is broken."""
    if as_json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        table = Table("figure", "value", "bound", "n", "")
        for figure in figures:
            mark = "" if figure.bound is None else "holds" if figure.holds else "BROKEN"
            table.add_row(figure.name, figure.shown, figure.bound_shown, f"{figure.count:,}", mark)
        Console().print(table)
    return 0 if all(figure.holds for figure in figures) else 1
