"""A beat for a live feed: asks for fresh rows every few seconds, and rests while nobody looks."""

from __future__ import annotations

from spandeck_dashboard.components import part

_render = part("pulse")


def pulse(*, key: str, every_s: float, is_on: bool) -> None:
    """Inside a fragment: run it again every `every_s` seconds while the tab is visible and `is_on`."""
    _render(data={"every": round(every_s * 1000), "on": is_on}, key=key, on_beat_change=_nothing)


def _nothing() -> None:
    """Streamlit learns from a callback's presence that the part sends `beat`."""
