"""The verified cache on pairs of questions: how many same ones it serves, and how many others it wrongly serves.

fow-cache brings 600 pairs with labels. Ours: `fresh_pairs.tsv` was written before the rules, `seam_pairs.tsv` after
them and against them (the rules were then extended), `late_pairs.tsv` after that, and against them again. Where all
questions of a set stand in one cache, an answer in other words to any but the pair's own question is wrong too.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.client.figures import Figure, percent
from spandeck import Cache

_HERE = Path(__file__).parent
_SERVED = {True: "hits", False: "false hits"}
_MOST_FALSE, _LEAST_HITS = 2.5, 15.0


@dataclass(frozen=True)
class Pair:
    """A question that was answered, one that is asked, and whether one answer is right for both."""

    kind: str
    cached: str
    asked: str
    same: bool


def measure() -> list[Figure]:
    """Raises `ImportError` where fow-cache is not installed."""
    fow, fresh, seam, late = (read() for read in SETS.values())
    return [
        *_figures("fow-cache", fow, bounded=True),
        *_by_kind("fow-cache", fow),
        *_together("fow-cache", fow),
        *_figures("fresh", fresh),
        *_by_kind("fresh", fresh),
        *_figures("seams", seam),
        *_figures("late", late),
    ]


def _fow() -> list[Pair]:
    data = importlib.import_module("fow_cache.data")
    return [Pair(row["category"], row["a"], row["b"], row["same_answer"]) for row in data.load_questions()]


def _own(name: str) -> list[Pair]:
    rows = [line.split("\t") for line in (_HERE / name).read_text(encoding="utf-8").splitlines()]
    return [Pair(kind, cached, asked, label == "same") for label, kind, cached, asked in rows]


def _served(pair: Pair) -> bool:
    cache = Cache(mode="verified")
    cache.put(pair.cached, "answer")
    return cache.get(pair.asked) is not None


def _figures(name: str, pairs: list[Pair], *, bounded: bool = False) -> list[Figure]:
    same = [_served(pair) for pair in pairs if pair.same]
    traps = [_served(pair) for pair in pairs if not pair.same]
    figures = [
        Figure(
            f"{name}: false hits", percent(sum(traps), len(traps)), "%", len(traps), _MOST_FALSE if bounded else None
        )
    ]
    if same:
        least = _LEAST_HITS if bounded else None
        figures.append(Figure(f"{name}: hits", percent(sum(same), len(same)), "%", len(same), least, at_least=True))
    return figures


def _by_kind(name: str, pairs: list[Pair]) -> list[Figure]:
    kinds: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    for pair in pairs:
        kinds[pair.same, pair.kind].append(_served(pair))
    return [
        Figure(
            f"{name}: {'hits' if same else 'false hits'}, {kind}", percent(sum(served), len(served)), "%", len(served)
        )
        for (same, kind), served in sorted(kinds.items(), reverse=True)
    ]


def _together(name: str, pairs: list[Pair]) -> list[Figure]:
    """All questions of the set in one cache: right is an answer to the pair's own, or to the very same text."""
    cache = Cache(mode="verified", max_entries=len(pairs))
    for pair in pairs:
        cache.put(pair.cached, pair.cached)
    wrong = right = 0
    for pair in pairs:
        if (hit := cache.get(pair.asked)) is not None:
            own = hit.kind == "exact" or (pair.same and hit.value == pair.cached)
            right, wrong = right + own, wrong + (not own)
    return [
        Figure(f"{name}, one cache for all: wrong answers", percent(wrong, len(pairs)), "%", len(pairs)),
        Figure(f"{name}, one cache for all: right answers", percent(right, len(pairs)), "%", len(pairs)),
    ]


SETS: dict[str, Callable[[], list[Pair]]] = {
    "fow-cache": _fow,
    **{name: partial(_own, f"{name}_pairs.tsv") for name in ("fresh", "seam", "late")},
}
