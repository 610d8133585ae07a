"""A cheap and transparent guess at how hard a task is: points for signs that can be read off the text."""

import re
from typing import Final, Literal

_SIMPLE_BELOW, _COMPLEX_FROM = 2, 5
_LONG_CHARACTERS, _VERY_LONG_CHARACTERS = 600, 4_000
_MANY_TOOLS, _MANY_TURNS, _MANY_PARTS = 4, 8, 3
# A long task is read in part: its beginning and its end say what is asked.
_READ_CHARACTERS = 4_000

_SIGNS: Final = (
    (
        3,
        "a proof or design",
        re.compile(r"\b(?:prove|derive|design|architect|refactor|optimi[sz]e|debug|diagnose)\b", re.I),
    ),
    (
        2,
        "reasoning",
        re.compile(
            r"\b(?:why|compare|contrast|trade-?offs?|evaluate|analy[sz]e|critique|justify|root cause|step by step"
            r"|pros and cons|what if|strategy|plan)\b",
            re.I,
        ),
    ),
    (1, "writing", re.compile(r"\b(?:write|draft|implement|generate|explain|summari[sz]e)\b", re.I)),
    (2, "code", re.compile(r"```|\b(?:def|class|function|SELECT|import)\b[^\n]{0,80}[({;:]|Traceback|\bstack trace\b")),
    (1, "arithmetic", re.compile(r"\d\s*[-+*/^=]\s*\d|\b(?:integral|derivative|equation|probability|matrix)\b", re.I)),
)
_PART: Final = re.compile(r"^\s*(?:[-*]|\d+[.)])\s+\S|\?", re.MULTILINE)


def estimate(
    task: str, *, tools: int = 0, turns: int = 0
) -> tuple[Literal["simple", "medium", "complex"], tuple[str, ...]]:
    """The tier of `task`, with `tools` offered and `turns` before it, and the signs that it was told by.

    Below 2 points it is simple, from 5 on complex. No labelled data stands behind the points: see docs/optimizer.md.
    """
    text = task if len(task) <= _READ_CHARACTERS else task[: _READ_CHARACTERS // 2] + task[-_READ_CHARACTERS // 2 :]
    signs = [(points, name) for points, name, pattern in _SIGNS if pattern.search(text)]
    if len(task) > _LONG_CHARACTERS:
        signs.append((2 if len(task) > _VERY_LONG_CHARACTERS else 1, f"{len(task):,} characters"))
    if (parts := len(_PART.findall(text))) >= _MANY_PARTS:
        signs.append((2, f"{parts} parts"))
    if tools >= _MANY_TOOLS:
        signs.append((1, f"{tools} tools"))
    if turns >= _MANY_TURNS:
        signs.append((1, f"{turns} turns before"))
    points = sum(points for points, _ in signs)
    tier: Literal["simple", "medium", "complex"] = (
        "simple" if points < _SIMPLE_BELOW else "complex" if points >= _COMPLEX_FROM else "medium"
    )
    return tier, tuple(name for _, name in signs)
