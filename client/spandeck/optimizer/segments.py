"""A text as segments: prose, which may be shortened, and JSON and fenced code, which are kept or left out whole."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

_FENCE: Final = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(?:.*?^[ \t]*\1[`~]*[ \t]*(?:\n|\Z)|.*\Z)", re.DOTALL | re.MULTILINE
)
_JSON_START: Final = re.compile(r"[{\[]")
_WHITE_OUTSIDE_STRINGS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|\s+', re.DOTALL)
# When so many characters were read in vain, the rest of a text is protected as a whole: hostile texts are not scanned.
_MOST_READ_IN_VAIN: Final = 200_000
# What an attempt counts that ends in too deep a nesting.
_DEEP: Final = 10_000
_SHORTEST_JSON_CHARACTERS: Final = 12

_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text of one kind; `opaque` is text that could not be told apart and is kept whole."""

    kind: Literal["prose", "json", "fence", "opaque"]
    text: str


def segments(text: str) -> list[Segment]:
    """`text` in order and without loss: the segments' texts, joined, are `text`."""
    found: list[Segment] = []
    position = 0
    for fence in _FENCE.finditer(text):
        found.extend(_outside_fences(text[position : fence.start()]))
        found.append(Segment("fence", fence[0]))
        position = fence.end()
    found.extend(_outside_fences(text[position:]))
    return found


def compact_json(text: str) -> str:
    """JSON `text` without the white space outside its strings: every number and key stays as it was written."""
    return _WHITE_OUTSIDE_STRINGS.sub(lambda match: match[1] or "", text)


def _outside_fences(text: str) -> Iterator[Segment]:
    position = scanned = in_vain = 0
    while (start := _JSON_START.search(text, scanned)) is not None:
        if in_vain >= _MOST_READ_IN_VAIN:
            yield from _if_any("prose", text[position : start.start()])
            yield Segment("opaque", text[start.start() :])
            return
        end, read = _json_end(text, start.start())
        if end is None:
            in_vain += read
            scanned = start.end()
        elif end - start.start() < _SHORTEST_JSON_CHARACTERS:
            scanned = end
        else:
            yield from _if_any("prose", text[position : start.start()])
            yield Segment("json", text[start.start() : end])
            position = scanned = end
    yield from _if_any("prose", text[position:])


def _if_any(kind: Literal["prose"], text: str) -> Iterator[Segment]:
    if text:
        yield Segment(kind, text)


def _json_end(text: str, start: int) -> tuple[int | None, int]:
    """Where the JSON value that begins at `start` ends, None where there is none, and how much was read."""
    try:
        _, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return None, error.pos - start + 1
    except (ValueError, RecursionError):
        return None, _DEEP
    return end, end - start
