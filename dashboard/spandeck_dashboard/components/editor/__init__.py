"""An editor for one SQL statement: line numbers, coloured words, Ctrl+Enter runs it."""

from __future__ import annotations

from collections.abc import Callable

from spandeck_dashboard.components import part, sent

_render = part("editor")


def editor(text: str, *, key: str, label: str, on_run: Callable[[str], None]) -> None:
    """Draw the editor with `text`, which replaces what was typed only when it changes; `on_run` is called back."""
    data = {"text": text, "label": label}
    _render(data=data, key=key, on_run_change=lambda: on_run(str(sent(key, "run"))))
