"""Secrets in text: known prefixes, private keys, passwords in addresses, and values after a telling name.

The client's guard looks with `secrets_in` alone. The collector, which sees what any instrumentation sends, looks for
headers, members and parameters by their names too. `secrets.toml` has the prefixes and names.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

# A telling name within this many characters before a value makes it a secret.
REACH: Final = 64
LONGEST_KEY: Final = 16_384

_NAME: Final = (
    r"(?:passw(?:or)?d|passwort|passphrase|passcode|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?"
    r"|auth[_-]?key|private[_-]?key|secret[_-]?key|account[_-]?key|credentials?)"
)
_NAMED: Final = rf"{_NAME}[\"']?(?:\s{{0,3}}(?:=>?|:=?)\s{{0,3}}|\s(?:is|ist|est|es)\s)[\"'`]?"
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


def named_values_in(text: str) -> Iterator[tuple[int, int]]:
    """Where values stand that are secret by their name: of headers, of quoted members, of parameters of a URL."""
    for pattern in _patterns().by_name:
        yield from (match.span("value") for match in pattern.finditer(text))


def is_secret_name(name: str) -> bool:
    """Whether what an attribute, header or member of this name holds is a secret, as `http.request.header.cookie`."""
    return _patterns().key.search(name) is not None


@functools.cache
def hint() -> str:
    """A regular expression in RE2's words that matches wherever there may be a secret, also in a protobuf message.

    It looks around nothing, because before a text in a message stands its length; behind an attribute's name stands
    a byte below space, the tag of its value.
    """
    data = _data()
    prefixes = "|".join(prefix["hint"] for prefix in data["prefixes"])
    keys = "|".join(data["keys"])
    query = "|".join(data["query"])
    return (
        rf"{prefixes}|PRIVATE KEY|://[^\s:/@]*:[^\s/@]+@|(?i:(?:{keys})[\x00-\x1f\"'\\:=])|(?i:[?&](?:{query})=)"
        rf"|(?i:(?:bearer|basic)\s+[\w.~+/=-]{{8}})|(?i:{_NAMED}[^\s\"'`,;<>()\[\]{{}}]{{6}})"
        r"|(?i:(?:aws|secret)[\w .-]*[=:\"'\s]+[A-Za-z0-9/+]{16})"
    )


@functools.cache
def _data() -> dict[str, Any]:
    # Not at the top: most programs import the guard and never look for a secret.
    import tomllib  # noqa: PLC0415
    from importlib import resources  # noqa: PLC0415

    return tomllib.loads(resources.files("spandeck_schema").joinpath("secrets.toml").read_text(encoding="utf-8"))


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
    key: re.Pattern[str]
    by_name: tuple[re.Pattern[str], ...]


@functools.cache
def _patterns() -> _Patterns:
    data = _data()
    return _Patterns(
        prefixed=tuple(
            (tuple(prefix["needs"]), re.compile(rf"(?<![A-Za-z0-9]){prefix['pattern']}")) for prefix in data["prefixes"]
        ),
        pem=re.compile(
            r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
            rf"(?:(?:[A-Za-z0-9+/=\s:,.]|-(?!-)){{0,{LONGEST_KEY}}}-----END [A-Z ]{{0,32}}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:\s{0,4}[A-Za-z0-9+/=]{16,80}(?=\s|$)){0,400})"
        ),
        url=re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s:/@]{0,64}:([^\s/@]{3,128})@"),
        named=re.compile(
            rf"{_NAMED}(?P<value>[^\s\"'`,;<>()\[\]{{}}]{{6,256}})",
            re.IGNORECASE,
        ),
        bearer=re.compile(r"\b(?:bearer|basic)\s{1,3}([\w.~+/=-]{16,1024})", re.IGNORECASE),
        aws=re.compile(
            r"(?:aws|secret)[\w .-]{0,30}[=:\"'\s]{1,5}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", re.IGNORECASE
        ),
        key=_key_pattern(data["keys"]),
        by_name=_by_name(data["keys"], data["query"]),
    )


def _key_pattern(keys: list[str]) -> re.Pattern[str]:
    """The end of a name, behind a separator; or with a capital, as in openaiApiKey."""
    joined = "|".join(keys)
    camel = "|".join(("ApiKeys?", "Password", "Secret", "Cookies?", "Credentials?", "Authorization"))
    camel += "|(?:Access|Auth|Refresh|Bearer|Session|Id)Token|(?:Private|Secret|Access|Account|Auth)Key"
    return re.compile(rf"(?:(?:\A|[^A-Za-z0-9])(?i:{joined})|(?<=[a-z0-9])(?:{camel}))\Z")


def _by_name(keys: list[str], query: list[str]) -> tuple[re.Pattern[str], ...]:
    joined = "|".join(keys)
    # Quoted: in JSON and in what programs print, also inside a string of JSON, where quotes have backslashes.
    quoted = (
        rf"(?:(?:{joined})\\{{0,3}}[\"']\s{{0,3}}[:=]|(?:authorization|cookie)\\{{0,3}}[\"']\s{{0,3}},)\s{{0,3}}[\[(]?\s{{0,3}}[bru]?(?P<open>\\{{0,3}}[\"'])"
        r"(?P<value>[^\r\n]{1,4096}?)(?:(?P=open)|\Z)"
    )
    header = (
        r"(?<![A-Za-z0-9])authorization\s{0,2}[:=]\s{0,2}"
        r"(?P<value>(?:[A-Za-z][\w-]{0,30}\s{1,2})?[\w.~+/=-]{8,8192}+)(?=[\s,;\"']|\Z)"
    )
    cookie = r"(?<![A-Za-z0-9])(?:set-)?cookie\s{0,2}:\s{0,2}(?P<value>[^\s=;\"']{1,256}=[^\r\n\"']{1,8192})"
    parameter = rf"[?&](?:{'|'.join(query)})=(?P<value>[^&\s\"'#<>\\]{{4,4096}})"
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (quoted, header, cookie, parameter))
