"""Secrets in text: known prefixes, private keys, passwords in addresses, and values after a telling name."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# A telling name within this many characters before a value makes it a secret.
REACH: Final = 64
LONGEST_KEY: Final = 16_384

# Prefixes that only secrets have, with what must follow. Sources: the providers' documentation of their tokens.
_PREFIXED: Final = (
    (("AKIA", "ASIA", "ABIA", "ACCA"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    (("eyJ",), r"eyJ[\w-]{8,4096}\.[\w-]{8,16384}\.[\w-]{0,2048}"),
    (("gh", "github_pat_"), r"(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{22,255})"),
    (("xox", "xapp-"), r"(?:xox[abeoprs]|xapp)-[\w-]{10,250}"),
    (("hooks.slack.com",), r"hooks\.slack\.com/services/[\w/]{20,120}"),
    (("AIza", "ya29."), r"(?:AIza[\w-]{35}(?![\w-])|ya29\.[\w-]{20,1024})"),
    (("k_live_", "k_test_", "whsec_"), r"(?:[prs]k_(?:live|test)_[A-Za-z0-9]{10,247}|whsec_[A-Za-z0-9+/]{24,128})"),
    (("sk-",), r"sk-(?=[\w-]{0,60}\d)[A-Za-z0-9][\w-]{18,250}"),
    (("glpat-", "npm_", "hf_", "pypi-", "dop_v1_", "SG."), (
        r"(?:glpat-[\w-]{20,64}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,64}|pypi-AgE[\w-]{50,1024}"
        r"|dop_v1_[0-9a-f]{64}|SG\.[\w-]{16,32}\.[\w-]{16,64})"
    )),
)  # fmt: skip

_NAME: Final = (
    r"(?:passw(?:or)?d|passwort|passphrase|passcode|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?"
    r"|auth[_-]?key|private[_-]?key|secret[_-]?key|account[_-]?key|credentials?)"
)
_TELLING: Final = ("pass", "pwd", "secret", "token", "key", "credential", "bearer", "basic")
# Values that stand for a secret but are none.
_STAND_IN: Final = re.compile(
    r"your|example|change|xxx|\*\*|\.\.\.|placeholder|dummy|redacted|secret$|password|environ|getenv|config|settings"
    r"|true|false|none|null|undefined|required|optional|^[\[<{$%]",
    re.IGNORECASE,
)
_DOTTED_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def secrets_in(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets stand in `text`: start and end of each value, without its name."""
    patterns = _patterns()
    for needs, pattern in patterns.prefixed:
        if any(need in text for need in needs):
            yield from (match.span() for match in pattern.finditer(text))
    if "PRIVATE KEY" in text:
        yield from (match.span() for match in patterns.pem.finditer(text))
    if "://" in text:
        yield from (match.span(1) for match in patterns.url.finditer(text) if not _STAND_IN.search(match[1]))
    lowered = text.lower()
    if any(word in lowered for word in _TELLING):
        yield from (match.span("value") for match in patterns.named.finditer(text) if _is_secret(match["value"]))
        yield from (match.span(1) for match in patterns.bearer.finditer(text) if _has_digit(match[1]))
        yield from (match.span(1) for match in patterns.aws.finditer(text))


def _is_secret(value: str) -> bool:
    """True for what nobody would write as a word, a name in a program or a stand-in."""
    if _STAND_IN.search(value) or _DOTTED_NAME.fullmatch(value):
        return False
    return _has_digit(value)


def _has_digit(value: str) -> bool:
    return any(character.isdigit() for character in value)


@dataclass(frozen=True)
class _Patterns:
    prefixed: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]
    pem: re.Pattern[str]
    url: re.Pattern[str]
    named: re.Pattern[str]
    bearer: re.Pattern[str]
    aws: re.Pattern[str]


@functools.cache
def _patterns() -> _Patterns:
    return _Patterns(
        prefixed=tuple((needs, re.compile(rf"(?<![A-Za-z0-9]){pattern}")) for needs, pattern in _PREFIXED),
        pem=re.compile(
            r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
            rf"(?:(?:[A-Za-z0-9+/=\s:,.]|-(?!-)){{0,{LONGEST_KEY}}}-----END [A-Z ]{{0,32}}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:\s{0,4}[A-Za-z0-9+/=]{16,80}(?=\s|$)){0,400})"
        ),
        url=re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s:/@]{0,64}:([^\s/@]{3,128})@"),
        named=re.compile(
            rf"{_NAME}[\"']?(?:\s{{0,3}}(?:=>?|:=?)\s{{0,3}}|\s(?:is|ist|est|es)\s)[\"'`]?(?P<value>[^\s\"'`,;<>()\[\]{{}}]{{6,256}})",
            re.IGNORECASE,
        ),
        bearer=re.compile(r"\b(?:bearer|basic)\s{1,3}([\w.~+/=-]{16,1024})", re.IGNORECASE),
        aws=re.compile(
            r"(?:aws|secret)[\w .-]{0,30}[=:\"'\s]{1,5}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", re.IGNORECASE
        ),
    )
