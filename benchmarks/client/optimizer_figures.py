"""One measured figure with its unit and, where one was promised, its bound."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """`value` in `unit` over `count` cases; `bound` is the most or, with `at_least`, the least it may be."""

    name: str
    value: float
    unit: Literal["%", "us", "ms"]
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
        return f"{self.value:,.1f} {self.unit}"

    @property
    def bound_shown(self) -> str:
        return "" if self.bound is None else f"{'>=' if self.at_least else '<='} {self.bound:g} {self.unit}"

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "holds": self.holds}


def percent(part: int, whole: int) -> float:
    return 100 * part / whole
