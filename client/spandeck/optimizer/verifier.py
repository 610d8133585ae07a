"""May the answer to one prompt be given to another? Rules that say no, each with a name; similarity is not asked.

Two prompts are the same when their content words are the same and no rule objects. The semantic mode lets one of
the two have content words of its own, but never both.
"""

from collections import Counter
from typing import Final

from spandeck.optimizer import lexicon
from spandeck.optimizer.meaning import Meaning
from spandeck.optimizer.wording import stem

# For these kinds of question `can` and its absence mean the same: "where can I see" and "where do I see".
_CAN_IS_IDLE: Final = frozenset({"how", "where", "none"})
_QUANTIFIERS: Final = frozenset(map(stem, lexicon.QUANTIFIERS))
_TIMES: Final = frozenset(map(stem, lexicon.TIMES))
_SAME_QUESTIONS: Final = frozenset({frozenset({"none", "how"}), frozenset({"none", "what"})})


def reject_rule(cached: Meaning, asked: Meaning, *, same_words: bool = True) -> str | None:
    """The name of the first rule by which the two differ, or None where the cached answer may be given.

    Names: `verbatim`, `numbers`, `negation`, `antonym`, `quantifier`, `time`, `entity`, `question`, `modal`, `person`,
    `direction`, `connective`, `literal`, `order`, `content_words` (with `same_words`), `swap` (without).
    """
    if cached.verbatim != asked.verbatim:
        return "verbatim"
    for name, differs in _RULES:
        if differs(cached, asked):
            return name
    if cached.literal or asked.literal:
        return None if cached.words == asked.words and cached.literal == asked.literal else "literal"
    if cached.bag == asked.bag:
        return "order" if _reordered(cached, asked) else None
    if same_words:
        return "content_words"
    ours, theirs = _unmatched(cached, asked)
    return "swap" if ours and theirs else None


def _unmatched(a: Meaning, b: Meaning) -> tuple[frozenset[str], frozenset[str]]:
    if a.bag == b.bag:
        return frozenset(), frozenset()
    ours, theirs = Counter(a.bag), Counter(b.bag)
    return frozenset(ours - theirs), frozenset(theirs - ours)


def _numbers(a: Meaning, b: Meaning) -> bool:
    return a.numbers != b.numbers


def _negation(a: Meaning, b: Meaning) -> bool:
    return len(a.negations) != len(b.negations) or (a.words != b.words and sorted(a.negations) != sorted(b.negations))


def _antonym(a: Meaning, b: Meaning) -> bool:
    ours, theirs = _unmatched(a, b)
    return any(lexicon.are_opposites(one, other) for one in ours for other in theirs)


def _entity(a: Meaning, b: Meaning) -> bool:
    ours, theirs = _unmatched(a, b)
    return not (ours | theirs).isdisjoint(a.entities | b.entities)


def _quantifier(a: Meaning, b: Meaning) -> bool:
    ours, theirs = _unmatched(a, b)
    if not (ours | theirs).isdisjoint(_QUANTIFIERS):
        return True
    return bool(a.existential and b.existential and a.existential != b.existential)


def _time(a: Meaning, b: Meaning) -> bool:
    ours, theirs = _unmatched(a, b)
    return not (ours | theirs).isdisjoint(_TIMES)


def _question(a: Meaning, b: Meaning) -> bool:
    if a.other_questions != b.other_questions:
        return True
    return a.question != b.question and frozenset((a.question, b.question)) not in _SAME_QUESTIONS


def _modal(a: Meaning, b: Meaning) -> bool:
    difference = a.modals ^ b.modals
    if difference == {"possible"}:
        return not {a.question, b.question} <= _CAN_IS_IDLE
    return bool(difference)


def _person(a: Meaning, b: Meaning) -> bool:
    if a.persons == b.persons:
        return False
    if a.persons and b.persons:
        return True
    return (a.persons or b.persons) not in (("first",), ("second",))


def _direction(a: Meaning, b: Meaning) -> bool:
    ours, theirs = _unanswered(a, b), _unanswered(b, a)
    if ours and theirs:
        return True
    alone, other = (ours, b) if ours else (theirs, a)
    elsewhere = {word for _, word in other.directed}
    known = {*other.bag, ""}
    return any(word in known and (marker not in lexicon.LOOSE_MARKERS or word in elsewhere) for marker, word in alone)


def _unanswered(a: Meaning, b: Meaning) -> frozenset[tuple[str, str]]:
    """The relations of `a` that `b` has not, not even with a marker that is as good."""
    return frozenset(
        (marker, word)
        for marker, word in a.directed - b.directed
        if not any(
            other == word and not word[:1].isdigit() and frozenset((marker, name)) in lexicon.LIKE_MARKERS
            for name, other in b.directed
        )
    )


def _connective(a: Meaning, b: Meaning) -> bool:
    return a.connectives != b.connectives and bool(a.connectives and b.connectives)


def _reordered(a: Meaning, b: Meaning) -> bool:
    """True unless only whole phrases behind the same markers, or two clauses, or the sides of an `and` moved."""
    if a.words == b.words or _rotated(a, b) or _rotated(b, a):
        return False
    return a.frame != b.frame or a.phrases != b.phrases


def _rotated(a: Meaning, b: Meaning) -> bool:
    return len(a.clauses) == 2 and a.clauses[1] + a.clauses[0] == b.words


_RULES: Final = (
    ("numbers", _numbers),
    ("negation", _negation),
    ("antonym", _antonym),
    ("quantifier", _quantifier),
    ("time", _time),
    ("entity", _entity),
    ("question", _question),
    ("modal", _modal),
    ("person", _person),
    ("direction", _direction),
    ("connective", _connective),
)
