"""A conversation: who said what to whom, tool calls folded; every word is plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from spandeck_dashboard.components import part, sent

_render = part("talk")


@dataclass(frozen=True)
class Turn:
    """Something said: `who` and `note` head it, `text` is shown whole or, with `folded`, behind its first line.

    `span_id` is what a click on its head opens.
    """

    role: Literal["user", "assistant", "system", "tool", "other"]
    who: str
    text: str
    span_id: str
    note: str = ""
    folded: bool = False
    failed: bool = False
    is_json: bool = False


def talk(turns: Sequence[Turn], *, key: str, label: str, on_open: Callable[[str], None]) -> None:
    """Draw the turns in their order; `on_open` is called back with the span of the one whose head was clicked."""
    data = {"turns": [asdict(turn) for turn in turns], "label": label}
    _render(data=data, key=key, on_open_change=lambda: on_open(str(sent(key, "open"))))
