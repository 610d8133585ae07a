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
# Comparing orders takes the square of this many steps; longer prompts must keep theirs.
_MOST_WORDS_REORDERED: Final = 64
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
    absent = not a.persons or not b.persons
    return not (absent and a.persons | b.persons <= {"first", "second"} and len(a.persons | b.persons) == 1)


def _direction(a: Meaning, b: Meaning) -> bool:
    if a.directed == b.directed:
        return False
    if _contradict(a, b):
        return True
    for marker in {marker for marker, _ in a.directed ^ b.directed}:
        ours = {word for name, word in a.directed if name == marker}
        theirs = {word for name, word in b.directed if name == marker}
        nested = ours <= theirs or theirs <= ours
        if not (nested and marker in lexicon.LOOSE_MARKERS):
            return True
    return False


def _contradict(a: Meaning, b: Meaning) -> bool:
    """True where a word stands behind one marker here and only behind others there."""
    ours, theirs = dict[str, set[str]](), dict[str, set[str]]()
    for by_word, meaning in ((ours, a), (theirs, b)):
        for marker, word in meaning.directed:
            by_word.setdefault(word, set()).add(marker)
    return any(ours[word].isdisjoint(theirs[word]) for word in ours.keys() & theirs.keys())


def _connective(a: Meaning, b: Meaning) -> bool:
    return a.connectives != b.connectives and bool(a.connectives and b.connectives)


def _reordered(a: Meaning, b: Meaning) -> bool:
    """True unless the words stand in the same order, but for one that moved or a clause that changed places.

    Two neighbours that changed places are two things: milk chocolate, chocolate milk.
    """
    if a.words == b.words or _rotated(a, b) or _rotated(b, a):
        return False
    if len(a.words) > _MOST_WORDS_REORDERED:
        return True
    if any((second, first) in b.compounds for first, second in a.compounds if first != second):
        return True
    return len(a.words) - _longest_common(a.words, b.words) > 1


def _rotated(a: Meaning, b: Meaning) -> bool:
    return len(a.clauses) == 2 and a.clauses[1] + a.clauses[0] == b.words


def _longest_common(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for column, other in enumerate(b, start=1):
            above = row[column]
            row[column] = diagonal + 1 if word == other else max(above, row[column - 1])
            diagonal = above
    return row[-1]


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
