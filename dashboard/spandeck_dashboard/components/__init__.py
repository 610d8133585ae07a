"""Own parts of the page in plain JavaScript: no build step, no third-party script, text only ever as text.

A part is a folder with `NAME.js` (default export, called on every rerun with new data) and `NAME.css`.
What comes from spans reaches the DOM through `textContent` alone. The scripts are served as files under `/parts/`,
named by their digest, so that a browser fetches each once; inside the messages they would come with every rerun.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

_FOLDER = Path(__file__).parent
_SCRIPTS: dict[str, bytes] = {}

# Runs inside the message: fetches the part's own script and hands every call on to it, once it is there.
_LOADER = """\
let draw;
const loading = import(new URL("/parts/ADDRESS", window.location.origin).href).then((part) => { draw = part.default; });
export default function (call) {
  if (draw) return draw(call);
  let end;
  let gone = false;
  loading.then(() => { if (!gone) end = draw(call); });
  return () => { gone = true; end?.(); };
}
"""

Renderer = Callable[..., Any]


def part(name: str, *scripts: str) -> Renderer:
    """Register the part in folder `name` once, at import; `scripts` are put in front of its own script."""
    folder = _FOLDER / name
    paths = (_FOLDER / "dom.js", *(folder / each for each in scripts), folder / f"{name}.js")
    script = "\n".join(path.read_text(encoding="utf-8") for path in paths).encode()
    address = f"{name}.{hashlib.blake2b(script, digest_size=8).hexdigest()}.js"
    _SCRIPTS[address] = script
    style = (_FOLDER / "base.css").read_text(encoding="utf-8") + (folder / f"{name}.css").read_text("utf-8")
    renderer: Renderer = v2.component(f"spandeck_{name}", js=_LOADER.replace("ADDRESS", address), css=style)
    return renderer


def sent(key: str, name: str) -> Any:
    """What the part with this key sent under `name`, inside its callback; None for nothing."""
    return st.session_state[key].get(name)


def scripts() -> Mapping[str, bytes]:
    """The script of every part that is registered, by the name under which it is served."""
    return _SCRIPTS
