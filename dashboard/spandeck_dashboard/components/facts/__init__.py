"""Labelled values: a strip of figures, or a list of names and texts as they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from spandeck_dashboard.components import part

_render = part("facts")


@dataclass(frozen=True)
class Fact:
    """A label and its text; `bad` marks a failure, `note` is a smaller second text."""

    label: str
    value: str
    note: str = ""
    bad: bool = False


def fact_strip(facts: Sequence[Fact], *, key: str, card: bool = False) -> None:
    """Draw the facts side by side; `card` gives the strip its own frame."""
    _render(data={"facts": [asdict(fact) for fact in facts], "shape": "strip", "card": card}, key=key)


def fact_list(facts: Sequence[Fact], *, key: str, shape: Literal["list", "text"] = "list") -> None:
    """Draw the facts one below the other, labels left, in the code font."""
    _render(data={"facts": [asdict(fact) for fact in facts], "shape": shape, "card": False}, key=key)
