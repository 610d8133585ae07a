"""How much of prompt injection the rule pack finds, by source, and how often it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from benchmarks.client import guard_data
from benchmarks.client.figures import Figure
from benchmarks.client.guard_data import Text
from benchmarks.client.guard_timing import ms_per_kb
from spandeck import Guard

_FRESH = Path(__file__).with_name("guard_fresh.toml")
_MOST_FALSE = 1.0


def measure(packages: Path) -> list[Figure]:
    """False positives with their bound, recall by source without one, and the time."""
    guard = Guard.default()
    bastion, dojo = list(guard_data.bastioncorpus(packages)), list(guard_data.agentdojo(packages))
    questions = list(guard_data.questions(packages))
    readmes = guard_data.chunks(guard_data.readmes())
    ordinary = [*questions, *(text for text in dojo if text.origin == "tasks")]
    data = [*(text for text in dojo if text.origin == "data"), *_as_tool_data(readmes)]
    return [
        _flagged(guard, "false positives, ordinary questions", ordinary, _MOST_FALSE),
        _flagged(guard, "false positives, tool data and READMEs", data, _MOST_FALSE),
        _flagged(guard, "false positives, bastioncorpus traps", [one for one in bastion if one.origin == "traps"]),
        *_recall(guard, "bastioncorpus", bastion),
        *_recall(guard, "agentdojo", dojo),
        *_fresh(guard),
        ms_per_kb("check, text of a user, 2 KB", guard.check, readmes),
        ms_per_kb("check, text of a tool, 2 KB", lambda text: guard.check(text, source="tool:data"), readmes),
    ]


def _recall(guard: Guard, name: str, texts: Iterable[Text]) -> Iterator[Figure]:
    attacks = sorted((text for text in texts if text.is_attack), key=lambda text: text.origin)
    yield _flagged(guard, f"recall, {name}, all", attacks)
    yield _blocked(guard, f"recall, {name}, all, blocked", attacks)
    for origin, group in groupby(attacks, key=lambda text: text.origin):
        yield _flagged(guard, f"recall, {name}, {origin}", list(group))


def _fresh(guard: Guard) -> Iterator[Figure]:
    for name, rows in tomllib.loads(_FRESH.read_text(encoding="utf-8")).items():
        kind, _, place = name.partition("_")
        source = "user" if place == "user" else "tool:data"
        texts = [Text(row, source, kind == "attacks", "fresh") for row in rows]
        yield _flagged(guard, f"{'recall' if kind == 'attacks' else 'false positives, traps'}, fresh, {place}", texts)


def _flagged(guard: Guard, name: str, texts: list[Text], bound: float | None = None) -> Figure:
    hits = sum(guard.check(text.text, source=text.source).action != "allow" for text in texts)
    return Figure(name, 100 * hits / len(texts), "%", len(texts), bound)


def _blocked(guard: Guard, name: str, texts: list[Text]) -> Figure:
    hits = sum(guard.check(text.text, source=text.source).action == "block" for text in texts)
    return Figure(name, 100 * hits / len(texts), "%", len(texts))


def _as_tool_data(texts: list[str]) -> list[Text]:
    return [Text(text, "tool:data", False, "readme") for text in texts]
