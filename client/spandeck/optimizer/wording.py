"""From a prompt to its tokens: politeness taken off both ends, contractions undone, spellings made one."""

import functools
import re
import unicodedata
from typing import Final

from spandeck.optimizer import lexicon

_QUOTES: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"'}
)
_LONGEST_CLOSING: Final = 60
_SPACES: Final = re.compile(r"\s+")

_DIGIT: Final = re.compile(r"\d")
_NUMBER_FORMS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"(?<=\d)\s*([ap])\.?m\.?(?!\w)", r" \1m."),
        (r"(?<=\d)(kg|km|cm|mm|mg|ml|gb|mb|tb|kb|mph|kmh|hz|khz|mhz|ghz|h|s|ms|m|g|l)\b", r" \1"),
    )
)
_ENDINGS: Final = (("n't", "not"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"), ("'d", "would"), ("'m", "am"))
_BEFORE_IS: Final = lexicon.words("what which who when where why how it that there here he she let")
_CONTRACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "cannot": ("can", "not"),
    "can't": ("can", "not"),
    "cant": ("can", "not"),
    "won't": ("will", "not"),
    "wont": ("will", "not"),
    "shan't": ("shall", "not"),
    **{
        f"{verb}nt": (verb, "not")
        for verb in lexicon.words("do does did is are was were has have had could should would must")
    },
}
_GREETING: Final = re.compile(
    r"^(?:(?:hi|hello|hey(?: there)?|ok|okay|so|please|thanks|good (?:morning|evening)|quick question)\b[\s,.!:]*)+",
    re.I,
)
_LEAD: Final = re.compile(
    r"^(?:(?:(?:can|could|would|will) you (?:please |kindly )?)?"
    r"(?:(?P<explain>explain|describe|tell me(?: about)?|help me understand|show me|let me know|teach me)(?: to me)?\b"
    r"|(?:help me(?: to)?|give me(?= (?:a|an|some|the)\b))\b)"
    r"|(?:can|could|would|will) you "
    r"(?:please\b|(?=(?:write|list|create|draft|suggest|recommend|find|name|summari[sz]e)\b))"
    r"|(?:i )?need help (?:to\b|with\b)?"
    r"|i(?: want| need| would like| would love|'d like|'d love) to (?:know|understand|learn|find out|ask)(?: about)?\b"
    r"|i(?: want| would like|'d like)(?= (?:a|an|some)\b)"
    r"|do you (?:happen to )?know\b|i(?: was| am|'m) wondering\b|i wonder\b)[\s,:]*(?:please\b)?[\s,]*",
    re.IGNORECASE,
)
# Whole phrases that ask the same as a shorter one.
_PHRASES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\bis there (?:a|any|some) way (?:for me )?to\b|\bwhat(?: is|'s) the way to\b", "how to"),
        (r"\bam i able to\b|\bis it possible (?:for me )?to\b", "can I"),
        (r"\bhow much time\b", "how long"),
    )
)
_CLOSING: Final = re.compile(
    r"(?:[\s,.!]*\b(?:please|plz|pls|thanks|thank you|thx|cheers)\b[\s,.!?]*)+$", re.IGNORECASE
)
_TOKEN: Final = re.compile(
    r"(?<![\w)])-(?=\d)|\w*\d\w*(?:[.,:/\-]\w*\d\w*)*|[ap]m\.|[^\W\d]+(?:\+\+|#|'[^\W\d]+)?"
    r"|(?<=\s)-(?=\s)|(?<=\d)!|[^\w\s.,;:!?'\"\-\u2013\u2014\u2026¿¡]"
)
_BRACKETS: Final = frozenset("()[]{}")
_OPERATORS: Final = frozenset("+*/=<>^|&-")

_QUOTED: Final = re.compile(r'```.*?(?:```|$)|`[^`]+`|"[^"]+"|(?<!\w)\'[^\']+\'(?!\w)|«[^»]+»', re.DOTALL)
_PAYLOAD: Final = re.compile(r"(?:(?<!\d):\s+|\n)(\S.*)$", re.DOTALL)


def verbatim_parts(prompt: str) -> tuple[str, ...]:
    """What two prompts must have alike to the letter: quoted text, code, and what follows a colon or a line break."""
    text = _GREETING.sub("", prompt.translate(_QUOTES).strip())
    payload = _PAYLOAD.search(text)
    parts = _QUOTED.findall(text) + ([payload[1]] if payload else [])
    return tuple(parts)


def plain(prompt: str) -> tuple[str, bool]:
    """`prompt` without politeness at its ends, and whether it opened with `explain` or the like."""
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", prompt).translate(_QUOTES)).strip()
    if _DIGIT.search(text):
        for pattern, replacement in _NUMBER_FORMS:
            text = pattern.sub(replacement, text)
    text = _GREETING.sub("", text)
    lead = _LEAD.match(text)
    rest = text[lead.end() :] if lead else text
    tail = max(0, len(rest) - _LONGEST_CLOSING)
    rest = rest[:tail] + _CLOSING.sub("", rest[tail:])
    if rest.strip(" ?.!"):
        text = rest
    for pattern, replacement in _PHRASES:
        text = pattern.sub(replacement, text)
    return text, bool(lead and lead["explain"])


def clauses(text: str) -> list[list[str]]:
    """The tokens of `text` in its own case, split where a comma stands."""
    return [tokens for part in text.split(", ") if (tokens := _tokens(part))]


def _tokens(text: str) -> list[str]:
    found: list[str] = _TOKEN.findall(text)
    tokens = [
        token
        for word in found
        for token in (_expanded(word) if "'" in word or "nt" in word or "nno" in word else (word,))
    ]
    if not _OPERATORS.intersection(tokens):
        tokens = [token for token in tokens if token not in _BRACKETS]
    return tokens


def _expanded(word: str) -> tuple[str, ...]:
    low = word.lower()
    if low in _CONTRACTIONS:
        return _CONTRACTIONS[low]
    for ending, meant in _ENDINGS:
        if low.endswith(ending):
            return word[: -len(ending)], meant
    if low.endswith("'s"):
        return word[:-2], "is" if low[:-2] in _BEFORE_IS else "'s"
    return (word,)


@functools.lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """`word` in lower case, one spelling, and singular."""
    word = word.lower()
    word = lexicon.SPELLINGS.get(word, word)
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = _singular(word)
        word = lexicon.SPELLINGS.get(word, word)
    if len(word) >= 7 and word.endswith(("ise", "ised", "ising", "isation")):
        head, _, tail = word.rpartition("is")
        word = f"{head}iz{tail}"
    return word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "zes", "sses")):
        return word[:-2]
    return word[:-1]
