"""The strip of key figures: value, change against the period before, and a sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from spandeck_dashboard.components import part

Tone = Literal["good", "bad", "plain"]

_render = part("kpis")


@dataclass(frozen=True)
class Kpi:
    """One card, its texts ready to show: `against` names what `change` (may be empty) is measured from.

    `trend` holds the sparkline's values, None where unknown.
    """

    name: str
    label: str
    value: str
    change: str
    against: str
    tone: Tone
    note: str
    trend: Sequence[float | None]
    shape: Literal["line", "bars"] = "line"


def kpis(cards: Sequence[Kpi], *, key: str) -> None:
    """Draw the cards in a row."""
    _render(data={"cards": [asdict(card) for card in cards]}, key=key)
