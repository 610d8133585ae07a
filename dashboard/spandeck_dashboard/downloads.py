"""Files that leave the page: CSV in which no cell is a formula to the spreadsheet that opens it."""

from __future__ import annotations

from typing import Any

import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_csv(frame: pd.DataFrame) -> bytes:
    """The frame as CSV in UTF-8; a text that a spreadsheet would run gets an apostrophe in front."""
    safe = frame.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = [_harmless(value) for value in safe[name]]
    safe.columns = [_harmless(name) for name in safe.columns]
    return safe.to_csv(index=False).encode()


def _harmless(value: Any) -> Any:
    text = value if isinstance(value, str) else None
    return f"'{text}" if text is not None and text.lstrip(" ").startswith(_FORMULA) else value
