"""What the verifier knows of one prompt, computed once: content words, and the few things that turn a meaning."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from spandeck.optimizer import lexicon, wording

LONGEST_CHARACTERS = 400

_WITH_NUMBERS = frozenset(("+", "-", "*", "/", "=", "<", ">", "^", "%", "am.", "pm."))
_DIGITS = frozenset("0123456789")
_IDLE_VERBS = frozenset(("do", "can", "could", "would", "may", "might"))
_IDLE_SUBJECTS = frozenset(("i", "you", "we", "one"))
_OBLIGING = frozenset(("have", "has", "had", "need", "needs"))


@dataclass(frozen=True, slots=True)
class Meaning:
    """A prompt taken apart.

    `words` are its content words in order, singular and in lower case, `clauses` the same split at commas.
    `directed` holds (marker, word) such as (`to`, `rome`); `phrases` the same with all words up to the next gap, and
    `frame` the words outside of phrases, pairs joined by `and` or `or` in the order of the alphabet.
    `literal` is true where no word may be left out and none moved: other languages, talk about words, short texts.
    """

    words: tuple[str, ...]
    bag: tuple[str, ...]
    numbers: tuple[str, ...]
    verbatim: tuple[str, ...]
    literal: bool = True
    clauses: tuple[tuple[str, ...], ...] = ()
    frame: tuple[str, ...] = ()
    phrases: tuple[tuple[str, tuple[str, ...]], ...] = ()
    negations: tuple[str, ...] = ()
    entities: frozenset[str] = frozenset()
    question: str = ""
    other_questions: tuple[str, ...] = ()
    modals: frozenset[str] = frozenset()
    persons: tuple[str, ...] = ()
    directed: frozenset[tuple[str, str]] = frozenset()
    connectives: frozenset[str] = frozenset()
    existential: frozenset[str] = frozenset()


class _Token(NamedTuple):
    raw: str
    low: str
    word: str
    content: bool
    capital: bool
    clause: int


def understand(prompt: str) -> Meaning | None:
    """The meaning of `prompt`; None above 400 characters, which hardly come twice, and without any word."""
    if len(prompt) > LONGEST_CHARACTERS:
        return None
    text, explains = wording.plain(prompt)
    clauses = wording.clauses(text)
    lower = [token.lower() for clause in clauses for token in clause]
    if not lower:
        return None
    if not (explains or _is_english(lower)) or not lexicon.ABOUT_WORDS.isdisjoint(lower):
        return _literal(prompt, clauses)
    tokens = list(_tokens(clauses))
    if not any(token.content for token in tokens):
        return _literal(prompt, clauses)
    return _meaning(prompt, tokens, lower, explains)


def _literal(prompt: str, clauses: Sequence[Sequence[str]]) -> Meaning:
    """The meaning of a text in which every word counts as it was written, but for the case of the first."""
    words = tuple(token for clause in clauses for token in clause)
    words = (words[0].lower(), *words[1:])
    return Meaning(
        words=words, bag=tuple(sorted(words)), numbers=_numbers(words), verbatim=wording.verbatim_parts(prompt)
    )


def _meaning(prompt: str, tokens: Sequence[_Token], lower: Sequence[str], explains: bool) -> Meaning:
    content = [token for token in tokens if token.content]
    words = tuple(token.word for token in content)
    phrases = list(_phrases(tokens))
    said = _without_generic_how(lower)
    question, others = _questions(lower, explains)
    return Meaning(
        words=words,
        bag=tuple(sorted(words)),
        numbers=_numbers(words),
        verbatim=wording.verbatim_parts(prompt),
        literal=False,
        clauses=_by_clause(content),
        frame=_frame(tokens, phrases),
        phrases=tuple(sorted((marker, tuple(tokens[at].word for at in places)) for marker, places in phrases)),
        negations=tuple(_negations(tokens)),
        entities=frozenset(token.word for token in content if token.capital),
        question=question,
        other_questions=others,
        modals=frozenset(_modals(said)),
        persons=tuple(_persons(said)),
        directed=frozenset((marker, tokens[places[0]].word if places else "") for marker, places in phrases),
        connectives=frozenset(lower) & {"and", "or"},
        existential=frozenset(lower) & lexicon.EXISTENTIAL,
    )


def _numbers(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word in _WITH_NUMBERS or not _DIGITS.isdisjoint(word))


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
            acronym = acronym or (raw in lexicon.NAMES and not first)
            particle = low in ("in", "on") and previous in lexicon.PARTICLE_VERBS
            content = acronym or particle or (low not in lexicon.DROPPABLE and low != "'s")
            capital = raw[:1].isupper() and not shouted and (not first or raw[1:].lower() != raw[1:])
            yield _Token(raw, low, raw if acronym else wording.stem(raw), content, capital and content, number)
            previous = low


def _by_clause(content: Iterable[_Token]) -> tuple[tuple[str, ...], ...]:
    parts: dict[int, list[str]] = {}
    for token in content:
        parts.setdefault(token.clause, []).append(token.word)
    return tuple(map(tuple, parts.values()))


def _negations(tokens: Sequence[_Token]) -> Iterator[str]:
    """The content word after each negation: how many there are, and what they deny."""
    for position, token in enumerate(tokens):
        if token.low in lexicon.NEGATIONS:
            yield _next_word(tokens, position)


def _phrases(tokens: Sequence[_Token]) -> Iterator[tuple[str, list[int]]]:
    """Each marker with the positions of the content words that it governs: the next one and those right behind it."""
    for position, token in enumerate(tokens):
        low = token.low
        if low == "'s" and position:
            yield "of", [position - 1]
        elif low in lexicon.MARKERS and not _is_infinitive(tokens, position) and not _is_particle(token):
            yield lexicon.MARKERS[low], _governed(tokens, position)


def _is_infinitive(tokens: Sequence[_Token], position: int) -> bool:
    before = tokens[position - 1].low if position else ""
    return tokens[position].low == "to" and before in lexicon.BEFORE_INFINITIVES


def _is_particle(token: _Token) -> bool:
    return token.content and token.low in ("in", "on")


def _governed(tokens: Sequence[_Token], position: int) -> list[int]:
    start = next((at for at in range(position + 1, len(tokens)) if tokens[at].content), None)
    if start is None:
        return []
    end = start + 1
    while end < len(tokens) and tokens[end].content and tokens[end].clause == tokens[start].clause:
        end += 1
    return list(range(start, end))


def _frame(tokens: Sequence[_Token], phrases: Sequence[tuple[str, list[int]]]) -> tuple[str, ...]:
    governed = {position for _, places in phrases for position in places}
    frame: list[str] = []
    joined = False
    for position, token in enumerate(tokens):
        if not token.content:
            joined = joined or token.low in ("and", "or")
        elif position not in governed:
            if joined and frame and token.word < frame[-1]:
                frame.insert(-1, token.word)
            else:
                frame.append(token.word)
            joined = False
    return tuple(frame)


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


def _persons(said: Sequence[str]) -> Iterator[str]:
    """The persons in the order in which they come, each run of one as one; the `it` of `is it` is nobody."""
    last = ""
    for before, word in pairwise(("", *said)):
        person = lexicon.PERSONS.get(word, "")
        if person and person != last and not (person == "it" and before in lexicon.AUXILIARIES):
            yield person
            last = person


def _questions(lower: Sequence[str], explains: bool) -> tuple[str, tuple[str, ...]]:
    """The kind of question (`what`, `how`, `how long`, ..., `yes or no`, `none`) and its other question words."""
    asked = [lexicon.QUESTIONS[word] for word in lower if word in lexicon.QUESTIONS]
    if lower[0] in lexicon.AUXILIARIES:
        return "yes or no", tuple(sorted(asked))
    if not asked:
        return ("what" if explains else "none"), ()
    degree = lower[lower.index("how") + 1 :][:1] if asked[0] == "how" else []
    kind = f"how {degree[0]}" if degree and degree[0] in lexicon.DEGREES else asked[0]
    return kind, tuple(sorted(asked[1:]))
