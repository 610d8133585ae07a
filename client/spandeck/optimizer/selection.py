"""The parts of a text that a query asks about, by BM25: whole sentences, JSON values and fences, in their order."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from spandeck.optimizer import lexicon
from spandeck.optimizer.segments import Segment, segments
from spandeck.optimizer.wording import stem

GAP: Final = "[…]\n"

# A line that goes on in lower case is the same sentence, wrapped.
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n{2,}|\n(?![a-z(])|(?<=[\u3002\uff01\uff1f])")
_WORD: Final = re.compile(r"\w+")
_LONGEST_UNIT_CHARACTERS: Final = 500
# What a part gains from the better of its neighbours: answers stand beside the words that were asked for.
_NEIGHBOUR: Final = 0.25
# The usual constants of BM25 (Robertson and Zaragoza, 2009): saturation of repeats, and the weight of length.
_K1: Final = 1.2
_B: Final = 0.75


def select(text: str, query: str, limit: int) -> str:
    """At most `limit` characters of `text`: what shares the rarest words with `query`, a gap where parts are left out.

    JSON and fenced code are kept to the letter or left out whole. Where no word of the query stands in the text, its
    beginning is kept. A text within the limit comes back as it is, and so does one whose best part is JSON or code
    that does not fit, or of which nothing fits.
    """
    if len(text) <= limit:
        return text
    units = list(_units(text))
    scores = _beside(_scores([unit.text for unit in units], query))
    order = sorted(range(len(units)), key=lambda position: -scores[position])
    chosen: set[int] = set()
    room = limit - len(GAP)
    for position in order:
        cost = len(units[position].text) + len(GAP)
        if cost <= room:
            chosen.add(position)
            room -= cost
        elif units[position].kind == "opaque" or (position == order[0] and units[position].kind != "prose"):
            return text
    return _joined(units, chosen) if chosen else text


def _joined(units: Sequence[Segment], chosen: set[int]) -> str:
    kept: list[str] = []
    for position, unit in enumerate(units):
        if position in chosen:
            kept.append(unit.text)
        elif not kept or kept[-1] != GAP:
            kept.append(GAP)
    return "".join(kept)


def _units(text: str) -> Iterator[Segment]:
    """The text in units that are never cut; joined, they are the text."""
    for segment in segments(text):
        if segment.kind == "prose":
            yield from (Segment("prose", piece) for piece in _pieces_of_prose(segment.text))
        else:
            yield segment


def _pieces_of_prose(text: str) -> Iterator[str]:
    start = 0
    for end in (match.end() for match in _SENTENCE_END.finditer(text)):
        yield from _pieces(text[start:end])
        start = end
    yield from _pieces(text[start:])


def _pieces(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONGEST_UNIT_CHARACTERS:
        cut = sentence.rfind(" ", 0, _LONGEST_UNIT_CHARACTERS) + 1 or _LONGEST_UNIT_CHARACTERS
        yield sentence[:cut]
        sentence = sentence[cut:]
    if sentence:
        yield sentence


def _scores(units: Sequence[str], query: str) -> list[float]:
    wanted = {word for word in _words(query) if word not in lexicon.DROPPABLE} or set(_words(query))
    counts = [Counter(_words(unit)) for unit in units]
    lengths = [count.total() for count in counts]
    mean = sum(lengths) / len(lengths) or 1.0
    rarity = {word: _rarity(len(units), sum(word in count for count in counts)) for word in wanted}
    return [
        sum(
            rarity[word] * count[word] * (_K1 + 1) / (count[word] + _K1 * (1 - _B + _B * length / mean))
            for word in wanted
            if count[word]
        )
        for count, length in zip(counts, lengths, strict=True)
    ]


def _beside(scores: Sequence[float]) -> list[float]:
    padded = [0.0, *scores, 0.0]
    return [score + _NEIGHBOUR * max(padded[at], padded[at + 2]) for at, score in enumerate(scores)]


def _rarity(total: int, having: int) -> float:
    return math.log(1 + (total - having + 0.5) / (having + 0.5))


def _words(text: str) -> list[str]:
    return [stem(word) for word in _WORD.findall(text)]
