"""Decoding of what text can carry: each decoder finds its parts in one pass and bounds what it makes."""

import base64
import binascii
import codecs
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_MOST_DECODED: Final = 32_768
_LEAST_READABLE: Final = 0.9

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX: Final = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{2}[ :]?){12,}(?![0-9a-f])")
_BINARY: Final = re.compile(r"(?<![01])(?:[01]{8}[ ,]?){8,}(?![01])")
_PERCENT: Final = re.compile(r"(?:%[0-9a-f]{2}|\w){8,}")
_ENTITIES: Final = re.compile(r"(?:&#x?[0-9a-f]{1,6};[^&]?){4,}")
_BACKSLASHES: Final = re.compile(r"(?:\\u[0-9a-f]{4}|\\x[0-9a-f]{2}){4,}")
_SPACED: Final = re.compile(r"(?<!\w)\w(?:[ .\-_*|/]{1,2}\w){7,}(?!\w)")
_SPLIT: Final = re.compile(r"[ .\-_*|/]")
_LEET_WORD: Final = re.compile(r"(?<!\w)(?=\w{0,12}[a-z@$!])(?=[a-z@$!]{0,12}\d)[a-z0-9@$!]{4,18}(?!\w)")
_LEET_HINT: Final = re.compile(r"[a-z][013457@$!]\w|[013457@$!][a-z]")
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
# Words that give a hidden reading away; only then is the whole text read that way.
_TELLING: Final = ("ignore", "instruct", "disregard", "prompt", "password", "system", "previous", "bypass", "reveal")
_ROT13_TELLING: Final = tuple(codecs.encode(word, "rot13") for word in ("ignore", "instruct", "system", "prompt"))
_REVERSED_TELLING: Final = ("erongi", "tcurtsni", "metsys", "tpmorp")


@dataclass(frozen=True)
class Decoded:
    """A decoded part: what it says, by which encoding, and where it stood."""

    name: str
    text: str
    start: int
    end: int


def base64_parts(text: str) -> Iterator[Decoded]:
    """What readable text stands in `text` as base64, standard or URL-safe alphabet (RFC 4648)."""
    for run in _BASE64.finditer(text):
        body = run[0].rstrip("=")[:_MOST_DECODED].replace("-", "+").replace("_", "/")
        body = body[: len(body) - 1] if len(body) % 4 == 1 else body
        written = _readable(base64.b64decode(body + "=" * (-len(body) % 4)))
        if written is not None:
            yield Decoded("base64", written, *run.span())


def _hex(text: str) -> Iterator[Decoded]:
    # Small letters are bytes that begin with 6 and 7, capitals with 4 and 5.
    if not ("6" in text and "7" in text) and not ("4" in text and "5" in text):
        return
    for run in _HEX.finditer(text):
        try:
            written = _readable(bytes.fromhex(run[0][:_MOST_DECODED].replace(":", " ")))
        except (ValueError, binascii.Error):
            continue
        if written is not None:
            yield Decoded("hex", written, *run.span())


def _binary(text: str) -> Iterator[Decoded]:
    if "010" not in text and "011" not in text:
        return
    for run in _BINARY.finditer(text):
        written = _readable(bytes(int(octet, 2) for octet in re.findall("[01]{8}", run[0])))
        if written is not None:
            yield Decoded("binary", written, *run.span())


def _escapes(text: str) -> Iterator[Decoded]:
    if "%" in text:
        for run in _PERCENT.finditer(text):
            if run[0].count("%") >= 3:
                yield Decoded("percent", unquote(run[0], errors="ignore"), *run.span())
    if "&#" in text:
        for run in _ENTITIES.finditer(text):
            yield Decoded("html_entities", html.unescape(run[0]), *run.span())
    if "\\" in text:
        for run in _BACKSLASHES.finditer(text):
            yield Decoded("escapes", _unescape(run[0]), *run.span())


def _spaced(text: str) -> Iterator[Decoded]:
    for run in _SPACED.finditer(text):
        words = re.split(r"[ .\-_*|/]{2}", run[0])
        yield Decoded("spaced", " ".join(_SPLIT.sub("", word) for word in words), *run.span())


PARTS: Final[tuple[Callable[[str], Iterator[Decoded]], ...]] = (_hex, _binary, _escapes, _spaced)


def whole(text: str) -> Iterator[tuple[str, str]]:
    """The text read otherwise as a whole, where words give such a reading away."""
    if _LEET_HINT.search(text) and any(word.translate(_LEET).startswith(_TELLING) for word in _LEET_WORD.findall(text)):
        yield "leet", _LEET_WORD.sub(lambda word: word[0].translate(_LEET), text)
    if any(word in text for word in _ROT13_TELLING):
        yield "rot13", codecs.encode(text, "rot13")
    if any(word in text for word in _REVERSED_TELLING):
        yield "reversed", text[::-1]


def _readable(data: bytes) -> str | None:
    """`data` as text, or None where it is not text that someone wrote."""
    written = data.decode("utf-8", "ignore")
    plain = sum(character.isalnum() or character in " .,:;!?'\"\n-" for character in written)
    letters = sum(character.isalpha() for character in written)
    wrote = len(written) >= 8 and plain >= _LEAST_READABLE * len(data) and letters * 2 >= len(written)
    return written if wrote else None


def _unescape(run: str) -> str:
    return "".join(chr(int(code[1:], 16)) for code in run.split("\\")[1:])
