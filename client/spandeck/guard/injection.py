"""The rule pack of prompt injection: a detector that needs the standard library only.

It finds what people wrote rules for; new wordings pass. Treat what it says as a signal, and take the guarantees
from permissions, budgets and schemas.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from spandeck.guard import phrases, rule_files, views
from spandeck.guard.verdict import Finding

# Beyond this many characters the middle of a text is not read, and the finding "too_long" says so.
MOST_CHARACTERS: Final = 262_144
# Words about attacks ("explain", "example") near a match: it may be a mention, which deserves a review, not a block.
_MENTION_FACTOR: Final = 0.65
_MENTION_WORDS: Final = 2
_MENTION_REACH: Final = 40
_TOO_LONG_SCORE: Final = 0.5
# What is hidden on purpose says something by itself, whatever it says.
_HIDING_SCORES: Final = {"unicode_tags": 0.6, "variation_selectors": 0.6}
_SPLIT_WORD_SCORE: Final = 0.2
_HIDDEN_BONUS: Final = 0.3
_LEAST_HIDDEN_CHARACTERS: Final = 4
# The groups whose words attackers misspell, for models read over it.
_MISSPELLED: Final = ("override", "prior", "rules")


@dataclass(frozen=True)
class _Scores:
    user: float
    tool: float

    def of(self, source: str) -> float:
        return self.user if source == "user" else self.tool


@dataclass(frozen=True)
class _Phrase:
    rule: str
    scores: _Scores
    required: tuple[frozenset[str], ...]
    regex: re.Pattern[str]


@dataclass(frozen=True)
class _Pattern:
    rule: str
    scores: _Scores
    regex: re.Pattern[str]
    needs: tuple[str, ...]


@dataclass(frozen=True)
class _Pack:
    vocabulary: phrases.Vocabulary
    phrases: tuple[_Phrase, ...]
    patterns: tuple[_Pattern, ...]
    mentions: re.Pattern[str]


class RuleDetector:
    """The rules of injection.toml over the words of lexicon.toml, on the text and on all that is hidden in it.

    Stateless and safe for any thread; the first scan of a process compiles the rules (some 10 ms).
    """

    def scan(self, text: str, source: str) -> list[Finding]:
        """The findings in `text` from `source` ("user" or "tool:NAME"), in the order of the text.

        Takes time in proportion to the text, below 1 ms a KB, and reads 262,144 characters at most: the first
        and the last half of that; then the finding `too_long` asks for a review. Raises nothing of its own.
        """
        if len(text) <= MOST_CHARACTERS:
            return _ordered(_scan(text, source, 0))
        half = MOST_CHARACTERS // 2
        tail_at = len(text) - half
        unread = Finding("too_long", _TOO_LONG_SCORE, half, tail_at)
        return _ordered([*_scan(text[:half], source, 0), unread, *_scan(text[tail_at:], source, tail_at)])


def _scan(text: str, source: str, at: int) -> list[Finding]:
    seen = views.surface(text)
    found = _in_view(seen, source)
    for view in (*views.decoded(seen), *views.encoded_parts(text)):
        found += _hidden_in(view, source)
    for view in views.hidden(text):
        if len(view.text.strip()) >= _LEAST_HIDDEN_CHARACTERS:
            found += _hidden_in(view, source)
            found.append(Finding(view.name, _HIDING_SCORES[view.name], *view.place(0, len(view.text)), view.name))
    if (split := views.invisible_between_letters(text)) is not None:
        found.append(Finding("split_word", _SPLIT_WORD_SCORE, *split))
    return [Finding(one.rule, one.score, one.start + at, one.end + at, one.view) for one in found]


def _hidden_in(view: views.View, source: str) -> Iterator[Finding]:
    """Findings in a decoded reading; that someone encoded them counts as well."""
    for one in _in_view(view, source):
        score = one.score + (1 - one.score) * _HIDDEN_BONUS
        yield Finding(one.rule, round(score, 4), one.start, one.end, view.name)


def _in_view(view: views.View, source: str) -> list[Finding]:
    """The findings in one reading: of each rule the strongest."""
    best: dict[str, Finding] = {}
    for finding in _matches(view, source):
        known = best.get(finding.rule)
        if known is None or finding.score > known.score:
            best[finding.rule] = finding
    return list(best.values())


def _matches(view: views.View, source: str) -> Iterator[Finding]:
    pack = _pack()
    encoded = pack.vocabulary.encode(view.text)
    present = set(encoded)
    places: list[tuple[int, int]] = []
    for phrase in pack.phrases:
        score = phrase.scores.of(source)
        if not score or any(map(present.isdisjoint, phrase.required)):
            continue
        match = phrase.regex.search(encoded)
        if match is None:
            continue
        places = places or phrases.positions(view.text)
        start, end = places[match.start()][0], places[max(match.start(), match.end() - 1)][1]
        score *= _mention_factor(pack, encoded, match)
        yield Finding(phrase.rule, round(score, 4), *view.place(start, end), view.name)
    for pattern in pack.patterns:
        score = pattern.scores.of(source)
        if score and any(need in view.text for need in pattern.needs):
            hit = pattern.regex.search(view.text)
            if hit is not None:
                yield Finding(pattern.rule, score, *view.place(*hit.span()), view.name)


def _mention_factor(pack: _Pack, encoded: str, match: re.Match[str]) -> float:
    around = encoded[max(0, match.start() - _MENTION_REACH) : match.start()]
    around += encoded[match.end() : match.end() + _MENTION_REACH]
    return _MENTION_FACTOR if len(pack.mentions.findall(around)) >= _MENTION_WORDS else 1.0


def _ordered(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.start, finding.end, finding.rule))


@functools.cache
def _pack() -> _Pack:
    lexicon = rule_files.packaged("lexicon.toml")
    rules = rule_files.packaged("injection.toml")
    groups: dict[str, list[str]] = {name: views.surface(words).text.split() for name, words in lexicon.items()}
    named = {word for row in rules["phrase"] for text in row["words"] for word in phrases.literals_of(text, groups)}
    vocabulary = phrases.Vocabulary({**groups, **{phrases.literal(word): [word] for word in named}}, _MISSPELLED)
    return _Pack(
        vocabulary,
        tuple(_phrases(rules["phrase"], vocabulary, groups)),
        tuple(
            _Pattern(row["rule"], _scores(row), re.compile(row["regex"]), tuple(row["needs"]))
            for row in rules["pattern"]
        ),
        re.compile(f"[{vocabulary.characters('about')}]"),
    )


def _phrases(
    rows: list[dict[str, Any]], vocabulary: phrases.Vocabulary, groups: dict[str, list[str]]
) -> Iterator[_Phrase]:
    for row in rows:
        for text in row["words"]:
            required = phrases.required_of(text, vocabulary, groups)
            yield _Phrase(row["rule"], _scores(row), required, re.compile(phrases.pattern_of(text, vocabulary, groups)))


def _scores(row: dict[str, Any]) -> _Scores:
    score = row.get("score", 0.0)
    return _Scores(row.get("user", score), row.get("tool", score))
