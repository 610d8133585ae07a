"""Own parts of the page in plain JavaScript: no build step, no third-party script, text only ever as text.

A part is a folder with `NAME.js` (default export, called on every rerun with new data) and `NAME.css`.
What comes from spans reaches the DOM through `textContent` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.components import v2

_FOLDER = Path(__file__).parent

Renderer = Callable[..., Any]


def part(name: str, *scripts: str) -> Renderer:
    """Register the part in folder `name` once, at import; `scripts` are put in front of its own script."""
    folder = _FOLDER / name
    names = (*scripts, f"{name}.js")
    script = "\n".join((folder / each).read_text(encoding="utf-8") for each in names)
    style = (_FOLDER / "base.css").read_text(encoding="utf-8") + (folder / f"{name}.css").read_text("utf-8")
    renderer: Renderer = v2.component(f"spandeck_{name}", js=script, css=style)
    return renderer
