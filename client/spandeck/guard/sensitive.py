"""What counts as personal data or a secret, and how it is recognised: patterns, ranges, check digits, prefixes."""

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

from spandeck.guard import checksums
from spandeck_schema.secrets import secrets_in

Kind = Literal["SECRET", "EMAIL", "IBAN", "CARD", "SSN", "IP", "PHONE"]
# In this order: where two overlap, the first wins.
KINDS: Final[tuple[Kind, ...]] = ("SECRET", "EMAIL", "IBAN", "CARD", "SSN", "IP", "PHONE")

_PHONE_DIGITS: Final = range(8, 16)
_SHORTEST_IPV6: Final = 6
# Kinds that have seven digits with at most four other characters between two of them.
_NUMERIC: Final = frozenset({"CARD", "SSN", "PHONE"})
_MANY_DIGITS: Final = re.compile(r"\d(?:\D{0,4}\d){6}")


class Sensitive(NamedTuple):
    """One thing found: `start` and `end` are offsets of characters in the text, `kind` such as "EMAIL"."""

    start: int
    end: int
    kind: str


class Recognizer(Protocol):
    """Anything that finds more kinds, such as names by a language model; called once or twice a text."""

    def find(self, text: str) -> Iterable[Sensitive]:
        """What it finds in `text`; an exception is told in `Redaction.error`."""
        ...


def find(text: str, kinds: Iterable[str]) -> Iterator[Sensitive]:
    """All of `kinds` in `text`; they may overlap."""
    has_numbers = _MANY_DIGITS.search(text) is not None
    for kind in kinds:
        if has_numbers or kind not in _NUMERIC:
            for start, end in _FINDERS[kind](text):
                yield Sensitive(start, end, kind)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from (match.span() for match in _patterns().email.finditer(text))


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _patterns().iban.finditer(text):
        wanted = checksums.IBAN_LENGTHS.get(match[0][:2])
        end = None if wanted is None else _end_after(text, match.start(), match.end(), wanted)
        if end is not None and checksums.is_iban(re.sub("[ -]", "", text[match.start() : end])):
            yield match.start(), end


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _patterns().card.finditer(text):
        if checksums.is_card(re.sub(r"\D", "", match[0])):
            yield match.span()


def _social_security_numbers(text: str) -> Iterator[tuple[int, int]]:
    """US numbers with dashes in the ranges that are given out. Source: SSA, "SSN randomization"."""
    return (match.span() for match in _patterns().ssn.finditer(text))


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """IPv4 and IPv6 but loopback, unspecified and netmasks, which tell of nobody."""
    for match in _patterns().ipv4.finditer(text):
        if not match[0].startswith(("127.", "0.", "255.")):
            yield match.span()
    if text.count(":") < 2:
        return
    for match in _patterns().ipv6.finditer(text):
        written = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
        if len(written) >= _SHORTEST_IPV6 and _is_ipv6(written):
            yield match.start(), match.start() + len(written)


def _phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers with a country code, and US numbers with dashes, dots or spaces (E.164; NANP)."""
    for match in _patterns().phone.finditer(text):
        number = re.sub(r"\D", "", match[0].lower().partition("x")[0])
        if len(number) in _PHONE_DIGITS and len(set(number)) > 2:
            yield match.span()


_FINDERS: Final[dict[str, Callable[[str], Iterator[tuple[int, int]]]]] = {
    "SECRET": secrets_in,
    "EMAIL": _emails,
    "IBAN": _ibans,
    "CARD": _cards,
    "SSN": _social_security_numbers,
    "IP": _addresses,
    "PHONE": _phones,
}


@dataclass(frozen=True)
class _Patterns:
    email: re.Pattern[str]
    iban: re.Pattern[str]
    card: re.Pattern[str]
    ssn: re.Pattern[str]
    ipv4: re.Pattern[str]
    ipv6: re.Pattern[str]
    phone: re.Pattern[str]


@functools.cache
def _patterns() -> _Patterns:
    octet = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
    international = r"(?:\+|\b00(?=[1-9]\d{0,2}[ .-]))[1-9]\d{0,3}(?:[ ./-]{0,2}\(?\d{1,5}\)?){1,7}(?:x\d{1,6})?"
    american = r"(?:1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d([ .-]))\d{3}(?(1)\1|[ .-])\d{4}(?:x\d{1,6})?"
    return _Patterns(
        email=re.compile(
            r"(?<![\w.%+-])(?!git@)[\w%+](?:[\w.%+'-]{0,62}[\w%+-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,24}(?![\w-])"
        ),
        iban=re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}"),
        card=re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-]|[.]\d)"),
        ssn=re.compile(r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-]|\.\d)"),
        ipv4=re.compile(rf"(?<![\w.-])(?<!version )(?<!Version )(?:{octet}\.){{3}}{octet}(?![\w-]|\.\w)"),
        ipv6=re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])"),
        phone=re.compile(rf"(?<![\w+.-])(?:{international}|{american})(?![\w-]|\.\d)"),
    )


def _end_after(text: str, start: int, end: int, count: int) -> int | None:
    """Where the `count`th letter or digit from `start` ends, unless that is beyond `end` or a word goes on there."""
    at = start
    while count and at < end:
        count -= text[at] not in " -"
        at += 1
    return None if count or text[at : at + 1].isalnum() else at


def _is_ipv6(written: str) -> bool:
    try:
        address = ipaddress.IPv6Address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
