"""What the verifier knows of one prompt, computed once: content words, and the few things that turn a meaning."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from spandeck.optimizer import lexicon, wording

LONGEST_CHARACTERS = 600

_WITH_NUMBERS = frozenset(("+", "-", "*", "/", "=", "<", ">", "^", "%", "am.", "pm."))
_IDLE_VERBS = frozenset(("do", "can", "could", "would", "may", "might"))
_IDLE_SUBJECTS = frozenset(("i", "you", "we", "one"))
_OBLIGING = frozenset(("have", "has", "had", "need", "needs"))


@dataclass(frozen=True, slots=True)
class Meaning:
    """A prompt taken apart.

    `words` are its content words in order, singular and in lower case; `clauses` the same split at commas;
    `compounds` the pairs of them with nothing in between. `directed` holds (marker, word) such as (`to`, `rome`).
    `literal` is true where no word may be left out and none moved: other languages, talk about words, short texts.
    """

    words: tuple[str, ...]
    bag: tuple[str, ...]
    clauses: tuple[tuple[str, ...], ...]
    compounds: frozenset[tuple[str, str]]
    numbers: tuple[str, ...]
    negations: tuple[str, ...]
    entities: frozenset[str]
    question: str
    other_questions: tuple[str, ...]
    modals: frozenset[str]
    persons: frozenset[str]
    directed: frozenset[tuple[str, str]]
    connectives: frozenset[str]
    existential: frozenset[str]
    verbatim: tuple[str, ...]
    literal: bool


class _Token(NamedTuple):
    raw: str
    word: str
    content: bool
    capital: bool
    clause: int


def understand(prompt: str) -> Meaning | None:
    """The meaning of `prompt`; None above 600 characters, which hardly come twice, and without any word."""
    if len(prompt) > LONGEST_CHARACTERS:
        return None
    text, explains = wording.plain(prompt)
    clauses = wording.clauses(text)
    lower = [token.lower() for clause in clauses for token in clause]
    if not lower:
        return None
    tokens = list(_tokens(clauses))
    literal = not (explains or _is_english(lower)) or not lexicon.ABOUT_WORDS.isdisjoint(lower)
    if literal or not any(token.content for token in tokens):
        literal = True
        tokens = [_Token(token.raw, wording.stem(token.raw), True, token.capital, token.clause) for token in tokens]
    return _meaning(prompt, tokens, explains, literal)


def _meaning(prompt: str, tokens: Sequence[_Token], explains: bool, literal: bool) -> Meaning:
    content = [token for token in tokens if token.content]
    words = tuple(token.word for token in content)
    lower = [token.raw.lower() for token in tokens]
    said = _without_generic_how(lower)
    question, others = _questions(lower, explains)
    return Meaning(
        words=words,
        bag=tuple(sorted(words)),
        clauses=_by_clause(content),
        compounds=frozenset(_compounds(tokens)),
        numbers=tuple(word for word in words if any(map(str.isdigit, word)) or word in _WITH_NUMBERS),
        negations=tuple(_negations(tokens)),
        entities=frozenset(token.word for token in content if token.capital),
        question=question,
        other_questions=others,
        modals=frozenset(_modals(said)),
        persons=frozenset(lexicon.PERSONS[word] for word in said if word in lexicon.PERSONS),
        directed=frozenset(_directed(tokens)),
        connectives=frozenset(lower) & {"and", "or"},
        existential=frozenset(lower) & lexicon.EXISTENTIAL,
        verbatim=wording.verbatim_parts(prompt),
        literal=literal,
    )


def _is_english(lower: Sequence[str]) -> bool:
    evidence = sum(word in lexicon.EVIDENCE for word in lower)
    return evidence >= (1 if all(map(str.isascii, lower)) else 2)


def _tokens(clauses: Sequence[Sequence[str]]) -> Iterator[_Token]:
    letters = [token for clause in clauses for token in clause if token[0].isalpha()]
    shouted = all(token.isupper() for token in letters)
    previous = ""
    for number, clause in enumerate(clauses):
        for position, raw in enumerate(clause):
            low = raw.lower()
            first = number == position == 0
            acronym = len(raw) > 1 and raw.isupper() and not shouted and low in lexicon.DROPPABLE
            particle = low in ("in", "on") and previous in lexicon.PARTICLE_VERBS
            content = acronym or particle or (low not in lexicon.DROPPABLE and low != "'s")
            capital = raw[:1].isupper() and not shouted and (not first or raw[1:].lower() != raw[1:])
            yield _Token(raw, raw if acronym else wording.stem(raw), content, capital and content, number)
            previous = low


def _by_clause(content: Iterable[_Token]) -> tuple[tuple[str, ...], ...]:
    parts: dict[int, list[str]] = {}
    for token in content:
        parts.setdefault(token.clause, []).append(token.word)
    return tuple(map(tuple, parts.values()))


def _compounds(tokens: Sequence[_Token]) -> Iterator[tuple[str, str]]:
    for one, other in pairwise(tokens):
        if one.content and other.content and one.clause == other.clause:
            yield one.word, other.word


def _negations(tokens: Sequence[_Token]) -> Iterator[str]:
    """The content word after each negation: how many there are, and what they deny."""
    for position, token in enumerate(tokens):
        if token.raw.lower() in lexicon.NEGATIONS:
            yield _next_word(tokens, position)


def _directed(tokens: Sequence[_Token]) -> Iterator[tuple[str, str]]:
    for position, token in enumerate(tokens):
        low = token.raw.lower()
        if low == "'s" and position:
            yield "of", tokens[position - 1].word
        elif low in lexicon.MARKERS:
            yield lexicon.MARKERS[low], _next_word(tokens, position)


def _next_word(tokens: Sequence[_Token], position: int) -> str:
    return next((token.word for token in tokens[position + 1 :] if token.content), "")


def _without_generic_how(lower: Sequence[str]) -> list[str]:
    """The words without `do I` of `how do I`, `can you` of `how can you` and the like, which ask the same."""
    idle: set[int] = set()
    for position, word in enumerate(lower[:-2]):
        if word == "how" and lower[position + 1] in _IDLE_VERBS and lower[position + 2] in _IDLE_SUBJECTS:
            idle |= {position + 1, position + 2}
    return [word for position, word in enumerate(lower) if position not in idle] if idle else list(lower)


def _modals(said: Sequence[str]) -> Iterator[str]:
    for word, following in pairwise((*said, "")):
        if word in lexicon.MODALS:
            yield lexicon.MODALS[word]
        if following == "to" and word in _OBLIGING:
            yield "obliged"


def _questions(lower: Sequence[str], explains: bool) -> tuple[str, tuple[str, ...]]:
    """The kind of question (`what`, `how`, ..., `yes or no`, `none`) and the other question words, sorted."""
    asked = [lexicon.QUESTIONS[word] for word in lower if word in lexicon.QUESTIONS]
    if lower[0] in lexicon.AUXILIARIES:
        return "yes or no", tuple(sorted(asked))
    if not asked:
        return ("what" if explains else "none"), ()
    return asked[0], tuple(sorted(asked[1:]))
