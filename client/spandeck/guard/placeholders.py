"""Placeholders that stand for values: the same one for the same value, and back again."""

import re
import threading
from typing import Final

_PLACEHOLDER: Final = re.compile(r"<([A-Z][A-Z0-9_]{0,30})_(\d{1,9})>")


class Placeholders:
    """What placeholders stand for, for one request or session: `<EMAIL_1>` and the address it hides.

    Holds the values in memory only and never shows them in its representation. Safe for any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_value: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._reserved: set[str] = set()
        self._counts: dict[str, int] = {}

    def placeholder(self, kind: str, value: str) -> str:
        """The placeholder of `value`: minted when it is first seen, with the next number of its kind."""
        with self._lock:
            known = self._by_value.get((kind, value))
            if known is not None:
                return known
            minted = self._mint(kind)
            self._by_value[kind, value] = minted
            self._values[minted] = value
            return minted

    def reserve(self, text: str) -> None:
        """Never mint what already stands in `text` as a literal: it could not be told apart later."""
        literal = {match[0] for match in _PLACEHOLDER.finditer(text)}
        if literal:
            with self._lock:
                self._reserved |= literal - self._values.keys()

    def restore(self, text: str) -> str:
        """`text` with each placeholder of ours replaced by what it stands for; others stay."""
        return _PLACEHOLDER.sub(lambda match: self._values.get(match[0], match[0]), text)

    def __len__(self) -> int:
        """How many values are held."""
        return len(self._values)

    def __repr__(self) -> str:
        return f"Placeholders({len(self)} values)"

    def _mint(self, kind: str) -> str:
        while True:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            minted = f"<{kind}_{self._counts[kind]}>"
            if minted not in self._reserved:
                return minted
