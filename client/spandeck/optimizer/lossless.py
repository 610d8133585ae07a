"""Shorter without saying less: compact JSON, no trailing or repeated white space, repeated paragraphs named once."""

import re
from collections import Counter
from typing import Final

from spandeck.optimizer.segments import Segment, compact_json, segments

_TRAILING: Final = re.compile(r"[ \t]+(?=\n)")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_PARAGRAPHS: Final = re.compile(r"(\n{2,})")
_SHORTEST_REPEAT_CHARACTERS: Final = 200
_QUOTED_CHARACTERS: Final = 60


def lossless(text: str) -> str:
    """`text` with the same words in the same order, the same JSON values and fenced code to the letter.

    A paragraph of 200 characters or more that stands a second time becomes `[repeats: "its first 60 characters"]`,
    where no other paragraph begins alike. The outcome is never longer than `text`.
    """
    parts = [_shortened(segment) for segment in segments(text)]
    return _without_repeats(parts)


def _shortened(segment: Segment) -> Segment:
    if segment.kind == "json":
        return Segment("json", compact_json(segment.text))
    if segment.kind == "prose":
        return Segment("prose", _BLANK_LINES.sub("\n\n", _TRAILING.sub("", segment.text)))
    return segment


def _without_repeats(parts: list[Segment]) -> str:
    pieces = [
        (segment.kind, piece)
        for segment in parts
        for piece in (_PARAGRAPHS.split(segment.text) if segment.kind == "prose" else [segment.text])
    ]
    long = {piece for kind, piece in pieces if kind == "prose" and len(piece) >= _SHORTEST_REPEAT_CHARACTERS}
    beginnings = Counter(piece[:_QUOTED_CHARACTERS] for piece in long)
    seen: set[str] = set()
    kept: list[str] = []
    for kind, piece in pieces:
        beginning = piece[:_QUOTED_CHARACTERS]
        repeats = kind == "prose" and piece in long and piece in seen and beginnings[beginning] == 1
        kept.append(f'[repeats: "{beginning}"]' if repeats and '"' not in beginning else piece)
        seen.add(piece)
    return "".join(kept)
