"""Text that others wrote, made fit for a terminal."""

from __future__ import annotations

import sys

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def harmless(text: str) -> str:
    """The text with everything but printable characters and line ends replaced.

    Span content reaches terminals through results and error sentences: it must not move the cursor, set colours,
    write to the clipboard or reverse the direction of reading.
    """
    return "".join(char if char.isprintable() or char == "\n" else _REPLACEMENT for char in text)


def tell(sentence: str) -> None:
    """Print a sentence to stderr: stdout is for results."""
    print(harmless(sentence), file=sys.stderr, flush=True)
