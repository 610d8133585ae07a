"""Colours, type and page styles: one palette for Streamlit's theme, the charts and our own parts.

Contrasts were computed: text at least 5:1 and series at least 3:1 on the card, in both themes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

Mode = Literal["light", "dark"]

# Named before `system-ui`: on a bare Linux that would be a much wider face.
FONT = (
    "Inter, -apple-system, 'Segoe UI Variable Text', 'Segoe UI', Roboto, Cantarell, Ubuntu, 'Noto Sans', "
    "'Liberation Sans', 'DejaVu Sans Condensed', system-ui, sans-serif"
)
_CODE_FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@dataclass(frozen=True)
class Palette:
    """The colours of one mode; `series` are told apart with every kind of colour vision."""

    page: str
    card: str
    side: str
    border: str
    hairline: str
    header: str
    text: str
    muted: str
    primary: str
    good: str
    bad: str
    bad_tint: str
    warn: str
    warn_tint: str
    agent: str
    tool: str
    guard: str
    other: str
    code: str
    p50: str
    p95: str
    p99: str
    series: tuple[str, ...]


LIGHT = Palette(
    page="#F7F8FA",
    card="#FFFFFF",
    side="#FFFFFF",
    border="#E2E6EC",
    hairline="#E9ECF1",
    header="#F2F4F7",
    text="#1B2330",
    muted="#5B6676",
    primary="#1F5CC4",
    good="#0B7A4B",
    bad="#B42318",
    bad_tint="#FDECEA",
    warn="#8A5200",
    warn_tint="#FFF3DC",
    agent="#B6609F",
    tool="#D97600",
    guard="#2A9D6F",
    other="#8D97A5",
    code="#F2F4F7",
    p50="#A9C5F7",
    p95="#2F6FDE",
    p99="#12336E",
    series=("#1F5CC4", "#D97600", "#2A9D6F", "#B6609F", "#1D2E61", "#7A4B2A"),
)
DARK = Palette(
    page="#0E1116",
    card="#151A21",
    side="#12161C",
    border="#262D37",
    hairline="#222933",
    header="#1A2029",
    text="#E4E8EE",
    muted="#98A3B3",
    primary="#6EA0FF",
    good="#4CC38A",
    bad="#FF7B72",
    bad_tint="#3A1D1F",
    warn="#F2B155",
    warn_tint="#33270F",
    agent="#C65B9E",
    tool="#FFA94D",
    guard="#3CCFB7",
    other="#6B7686",
    code="#10151B",
    p50="#3D5A91",
    p95="#6EA0FF",
    p99="#D6E4FF",
    series=("#6EA0FF", "#FFA94D", "#3CCFB7", "#C65B9E", "#F4E3A1", "#8A6BFF"),
)
_PALETTES: dict[Mode, Palette] = {"light": LIGHT, "dark": DARK}


def mode() -> Mode:
    """The mode that this visitor's browser shows."""
    return "dark" if st.context.theme.type == "dark" else "light"


def palette() -> Palette:
    """The colours that this visitor's browser shows."""
    return _PALETTES[mode()]


def theme_options() -> dict[str, Any]:
    """Streamlit's theme options for both modes; system fonts only, so no font is fetched."""
    options: dict[str, Any] = {
        "theme.font": FONT,
        "theme.codeFont": _CODE_FONT,
        "theme.baseFontSize": 14,
        "theme.baseRadius": "8px",
        "theme.buttonRadius": "6px",
        "theme.headingFontWeights": [650, 600, 600, 600, 600, 600],
        "theme.headingFontSizes": ["1.35rem", "1.15rem", "1rem", "0.93rem", "0.86rem", "0.8rem"],
        "theme.paddingTop": "0.9rem",
        "theme.paddingBottom": "2rem",
        "theme.showWidgetBorder": True,
        "theme.showSidebarBorder": True,
        "theme.linkUnderline": False,
    }
    for name, colours in _PALETTES.items():
        options |= _mode_options(name, colours)
    return options


def _mode_options(name: Mode, colours: Palette) -> dict[str, Any]:
    values = {
        "primaryColor": colours.primary,
        "backgroundColor": colours.page,
        "secondaryBackgroundColor": colours.card,
        "textColor": colours.text,
        "linkColor": colours.primary,
        "borderColor": colours.border,
        "dataframeBorderColor": colours.hairline,
        "dataframeHeaderBackgroundColor": colours.header,
        "codeBackgroundColor": colours.code,
        "blueColor": colours.series[0],
        "orangeColor": colours.tool,
        "greenColor": colours.guard,
        "violetColor": colours.agent,
        "grayColor": colours.other,
        "redColor": colours.bad,
        "greenTextColor": colours.good,
        "redTextColor": colours.bad,
        "orangeTextColor": colours.warn,
        "grayTextColor": colours.muted,
        "redBackgroundColor": colours.bad_tint,
        "orangeBackgroundColor": colours.warn_tint,
        "grayBackgroundColor": colours.header,
        "chartCategoricalColors": list(colours.series),
        "sidebar.backgroundColor": colours.side,
    }
    return {f"theme.{name}.{key}": value for key, value in values.items()}


@cache
def _page_css() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def apply_page_css() -> None:
    """Send the page's own styles: our static file with the colours of the visitor's mode in front."""
    colours = palette()
    variables = "".join(
        f"--sd-{name.replace('_', '-')}:{value};" for name, value in asdict(colours).items() if isinstance(value, str)
    )
    st.html(f"<style>:root{{{variables}}}\n{_page_css()}</style>")
