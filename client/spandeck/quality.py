"""Cheap, local measures of an answer: what in it nothing supports. They judge wording, not truth.

Each returns an `Assessment` to be recorded with `Scope.evaluation` (`record`). What cannot be judged has the label
`not_judged` and no score: unjudged is not fine. An answer without any finding can still be wrong.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from spandeck.scope import Scope

Label = Literal["supported", "unsupported", "not_judged"]

_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_QUOTE = re.compile(r"[\"“«]([^\"”»]{12,400})[\"”»]")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:[.,]\d+)*%?")
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*", re.MULTILINE)
_CITATION = re.compile(r"\[(?:source:\s*|doc:\s*|#)?([\w.:-]{1,64})\]", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_SHOWN_COUNT = 5


@dataclass(frozen=True)
class Assessment:
    """One judgement: `score` is the supported share, 0 to 1; `findings` are the parts that nothing supports."""

    name: str
    label: Label
    score: float | None
    findings: tuple[str, ...] = ()
    judged_count: int = 0

    @property
    def explanation(self) -> str:
        """One sentence with the first findings."""
        if self.label == "not_judged":
            return "Nothing in the answer could be judged."
        if not self.findings:
            return f"All {self.judged_count} judged parts are supported."
        more = len(self.findings) - _SHOWN_COUNT
        shown = ", ".join(repr(found) for found in self.findings[:_SHOWN_COUNT]) + (
            f" and {more} more" if more > 0 else ""
        )
        return f"{len(self.findings)} of {self.judged_count} judged parts are not supported: {shown}."

    def record(self, scope: Scope) -> None:
        """Record the judgement at the span that made the answer."""
        scope.evaluation(self.name, score=self.score, label=self.label, explanation=self.explanation, source="code")


def unsupported_values(answer: str, contexts: Iterable[str]) -> Assessment:
    """Numbers, names, URLs and quotations of `answer` that occur in none of `contexts`.

    `contexts` is all that the answer may rest on: the task, retrieved texts, results of tools. Numbers are compared
    by value ("1,500.0" is "1500"), the rest by letters without case. Small counts up to twelve are not judged.
    """
    known = "\n".join(contexts)
    folded, numbers = _folded(known), {_value(number) for number in _NUMBER.findall(known)}
    body = _LIST_NUMBER.sub("", answer)
    urls = _URL.findall(body)
    rest = _URL.sub(" ", body)
    quotes = _QUOTE.findall(rest)
    judged = [(url.rstrip(".,;"), _folded(url.rstrip(".,;")) in folded) for url in urls]
    judged += [(quote, _folded(quote) in folded) for quote in quotes]
    judged += [(number, _value(number) in numbers) for number in _NUMBER.findall(rest) if not _is_small_count(number)]
    judged += [(name, _is_named(name, folded)) for name in _NAME.findall(_QUOTE.sub(" ", rest))]
    return _assessment("unsupported_values", judged)


def citation_valid(answer: str, sources: Mapping[str, str]) -> Assessment:
    """Citations such as [doc-3] whose id is no key of `sources`, and quotations that no cited source holds.

    `sources` is text by id. An answer that cites nothing is not judged.
    """
    cited = list(dict.fromkeys(_CITATION.findall(answer)))
    judged = [(f"[{source}]", source in sources) for source in cited]
    if not cited:
        return _assessment("citation_valid", [])
    held = _folded("\n".join(sources[source] for source in cited if source in sources))
    judged += [(quote, _folded(quote) in held) for quote in _QUOTE.findall(answer)]
    return _assessment("citation_valid", judged)


# What an answer says was done, and a word that the name of a tool which does it would have.
ACTION_CLAIMS: Mapping[str, Sequence[str]] = {
    r"(?:sent|emailed|mailed)": ("send", "mail", "message", "notify", "reply"),
    r"(?:booked|reserved|scheduled)": ("book", "reserv", "schedul", "calendar", "appointment"),
    r"(?:refunded|reimbursed)": ("refund", "reimburs"),
    r"(?:cancell?ed)": ("cancel",),
    r"(?:created|opened|filed|submitted)": ("create", "open", "file", "submit", "add", "new", "insert"),
    r"(?:updated|changed|modified|edited)": ("update", "change", "modify", "edit", "set", "write", "patch"),
    r"(?:deleted|removed)": ("delete", "remove", "drop"),
    r"(?:ordered|purchased|bought|paid)": ("order", "purchase", "buy", "pay", "checkout"),
    r"(?:searched|looked up|checked)": ("search", "find", "look", "get", "check", "query", "list", "read", "fetch"),
}
_FIRST_PERSON = r"\b(?:i|we)(?:['\u2019]ve| have|)(?: just| now| already| successfully)? "


def tool_claim_supported(
    answer: str, succeeded_tools: Iterable[str], claims: Mapping[str, Sequence[str]] = ACTION_CLAIMS
) -> Assessment:
    """Actions that `answer` claims in the first person ("I have sent the mail") without a tool that does such things.

    `succeeded_tools` are the names of the tools whose calls succeeded in this run. English only. `claims` maps a
    pattern of the verb to parts of tool names.
    """
    tools = [name.lower() for name in succeeded_tools]
    judged = [
        (match[0].strip(), any(part in tool for tool in tools for part in parts))
        for verb, parts in claims.items()
        for match in re.finditer(_FIRST_PERSON + verb + r"\b", answer, re.IGNORECASE)
    ]
    return _assessment("tool_claim_supported", judged)


@dataclass(frozen=True)
class HallucinationRatio:
    """The share of judged requests with the label `unsupported`; None where none was judged."""

    ratio: float | None
    judged_count: int


def hallucination_ratio(assessments: Iterable[Assessment]) -> HallucinationRatio:
    """One number for many requests, never shown without how many were judged."""
    judged = [assessment for assessment in assessments if assessment.label != "not_judged"]
    unsupported = sum(assessment.label == "unsupported" for assessment in judged)
    return HallucinationRatio(unsupported / len(judged) if judged else None, len(judged))


def _assessment(name: str, judged: list[tuple[str, bool]]) -> Assessment:
    parts = dict(judged)
    if not parts:
        return Assessment(name, "not_judged", None)
    missing = tuple(part for part, supported in parts.items() if not supported)
    score = 1 - len(missing) / len(parts)
    return Assessment(name, "unsupported" if missing else "supported", score, missing, len(parts))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _value(number: str) -> str:
    """The number without separators of thousands and trailing zeros."""
    digits = number.strip("%+")
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", digits):
        digits = digits.replace(",", "")
    digits = digits.replace(",", ".")
    try:
        return f"{float(digits):.12g}"
    except ValueError:
        return digits


def _is_small_count(number: str) -> bool:
    return number.isdecimal() and int(number) <= 12


def _is_named(name: str, folded: str) -> bool:
    """The whole name, or each of its words, stands in the context."""
    return all(re.search(rf"\b{re.escape(word)}", folded) for word in _folded(name).split())
