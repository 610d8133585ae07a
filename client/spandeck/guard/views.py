"""The readings of a text: as it looks, and what is hidden in it by encodings that a model would still follow.

Sources: Unicode 16 chapter 23.9 (tag characters), UTS 39 (confusables), RFC 4648 (base64, hex). Every reading
keeps for each of its characters the offset in the original, so that findings point to what was really there.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from spandeck.guard import decoders

# Soft hyphen, zero-width characters, bidirectional controls, invisible operators, variation selectors, tags.
_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
)
_TAGS: Final = "\U000e0000-\U000e007f"
_SELECTORS: Final = "\U000e0100-\U000e01ef"
_HIDDEN: Final = re.compile(f"[{_INVISIBLE}{_TAGS}{_SELECTORS}]")
_TAG_RUN: Final = re.compile(f"\U0001f3f4?[{_TAGS}]{{2,}}")
# The flag of Wales and its like: a black flag, up to six tags, the cancel tag. Source: UTS 51, ED-14a.
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f")
_SELECTOR_RUN: Final = re.compile(f"[\ufe00-\ufe0f{_SELECTORS}]{{4,}}")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_MIXED_WORD: Final = re.compile(r"[^\W\d_]+")
# Letters of Cyrillic, Greek and Armenian that look Latin, in the order of their Latin twins below.
_LOOKALIKES: Final = str.maketrans(
    "авсԁеһіјӏкмнорԛгѕтухѡүзαβεικνορτυχγωսոհցօյ",
    "abcdehijlkmhopqrstyxwy3abeikvoptuxywunhgoj",
)


@dataclass(frozen=True)
class View:
    """One reading of a text. `name` is "text" or the encoding; `text` is folded to lower case.

    `offsets` tells the offset in the original of each character, None where it is the same; it is asked only for
    what was found. `span` frames an encoded part in the original and then stands for all its characters.
    """

    name: str
    text: str
    offsets: Callable[[], Sequence[int]] | None = None
    span: tuple[int, int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters `start` to `end` of this reading stand in the original."""
        if self.span is not None:
            return self.span
        if self.offsets is None:
            return start, end
        offsets = self.offsets()
        return offsets[start], offsets[max(start, end - 1)] + 1


def surface(text: str) -> View:
    """The text as a reader sees it: lower case, without invisible characters, accents, wide or look-alike letters."""
    if text.isascii():
        return View("text", text.lower())
    folded = _NOT_ASCII.sub(lambda character: _fold(character[0]), text).lower()
    return View("text", _MIXED_WORD.sub(_as_latin, folded), functools.cache(lambda: _offsets(text)))


def hidden(text: str) -> Iterator[View]:
    """What stands in invisible characters: Unicode tags, bytes in variation selectors."""
    if text.isascii():
        return
    for run in _TAG_RUN.finditer(text):
        if _FLAG.fullmatch(run[0]):
            continue
        written = "".join(chr(ord(character) - 0xE0000) for character in run[0].lstrip("\U0001f3f4"))
        yield View("unicode_tags", "".join(filter(str.isprintable, written)).lower(), span=run.span())
    for run in _SELECTOR_RUN.finditer(text):
        data = bytes(_selector_byte(character) for character in run[0])
        yield View("variation_selectors", data.decode("utf-8", "ignore").lower(), span=run.span())


def decoded(seen: View) -> Iterator[View]:
    """What `seen` says once decoded: base64, hex, percent and HTML escapes, rot13, reversed, leet, spaced letters."""
    for decoder in decoders.PARTS:
        for found in decoder(seen.text):
            yield View(found.name, found.text.lower(), span=seen.place(found.start, found.end))
    for name, written in decoders.whole(seen.text):
        yield View(name, written, span=seen.place(0, len(seen.text)))


def encoded_parts(text: str) -> Iterator[View]:
    """The parts of the original whose case matters: base64 and what is in it, two layers deep."""
    for found in decoders.base64_parts(text):
        span = (found.start, found.end)
        yield View(found.name, found.text.lower(), span=span)
        for inner in decoders.base64_parts(found.text):
            yield View(inner.name, inner.text.lower(), span=span)


def without_invisible(text: str) -> tuple[str, Sequence[int] | None]:
    """`text` without invisible characters, and the offset in `text` of each that is left; None if all are."""
    if text.isascii() or not _HIDDEN.search(text):
        return text, None
    kept = [at for at, character in enumerate(text) if character < "\x80" or not _HIDDEN.match(character)]
    return "".join(text[at] for at in kept), kept


def invisible_between_letters(text: str) -> tuple[int, int] | None:
    """Where invisible characters first split a word of ASCII letters, as no writing system needs; else None."""
    if text.isascii():
        return None
    match = re.search(rf"[a-zA-Z][\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff{_TAGS}]+[a-zA-Z]", text)
    return None if match is None else match.span()


def _offsets(text: str) -> list[int]:
    return [at for at, character in enumerate(text) for _ in (character if character < "\x80" else _fold(character))]


@functools.lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """The one character beyond ASCII without accents and width, in lower case; nothing where it is invisible."""
    if _HIDDEN.match(character):
        return ""
    parts = unicodedata.normalize("NFKD", character)
    return "".join(part for part in parts if not unicodedata.combining(part)).lower()


def _as_latin(word: re.Match[str]) -> str:
    """A word that mixes Latin letters with look-alikes, as Latin; words of one script stay."""
    letters = word[0]
    if letters.isascii() or not any("a" <= letter <= "z" for letter in letters):
        return letters
    return letters.translate(_LOOKALIKES)


def _selector_byte(character: str) -> int:
    code = ord(character)
    return code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16
