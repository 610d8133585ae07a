"""One measured figure of the guard with its unit and, where one was promised, its bound."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

_REPEATS = 5


@dataclass(frozen=True)
class Figure:
    """`value` in `unit` over `count` cases; `bound` is the most or, with `at_least`, the least it may be."""

    name: str
    value: float
    unit: Literal["%", "ms/KB", "spans/100 KB", "ms"]
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


def ms_per_kb(name: str, work: Callable[[str], object], texts: Sequence[str]) -> Figure:
    """CPU time of `work` over all `texts`, the best of five, by their size; bound 1 ms per 1,024 characters."""
    work(texts[0])
    seconds = min(_seconds(work, texts) for _ in range(_REPEATS))
    return Figure(name, seconds * 1e3 / (sum(map(len, texts)) / 1024), "ms/KB", len(texts), bound=1)


def _seconds(work: Callable[[str], object], texts: Sequence[str]) -> float:
    started = time.thread_time()
    for text in texts:
        work(text)
    return time.thread_time() - started
