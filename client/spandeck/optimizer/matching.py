"""Which entry is nearest to a prompt: by shared words, found without any model."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from spandeck.optimizer.entries import Entry
from spandeck.optimizer.meaning import Meaning
from spandeck.optimizer.verifier import reject_rule

# Bounds of one lookup: entries looked at for the nearest, those compared word by word, and equal bags verified.
_MOST_VISITED, _MOST_COMPARED, _MOST_VERIFIED = 512, 4, 16

_Name = TypeVar("_Name")
Accepts = Callable[[Entry], bool]


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest entry: `entry` where it may be given, else `rule`, the reason why not; `score` is 0 to 1."""

    score: float | None = None
    entry: Entry | None = None
    rule: str | None = None
    kind: str = "verified"


class WordIndex:
    """Entries by their content words. Not thread-safe: the cache holds its lock around every call."""

    def __init__(self) -> None:
        self._by_bag: dict[tuple[str, tuple[str, ...]], dict[str, Entry]] = {}
        self._by_word: dict[tuple[str, str], dict[str, Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Make `entry` findable; without a meaning there is nothing to find it by."""
        if entry.meaning is not None:
            self._by_bag.setdefault((entry.scope, entry.meaning.bag), {})[entry.key] = entry
            for word in set(entry.meaning.bag):
                self._by_word.setdefault((entry.scope, word), {})[entry.key] = entry

    def remove(self, entry: Entry) -> None:
        """Forget `entry`, and everything that was held for it alone."""
        if entry.meaning is not None:
            _discard(self._by_bag, (entry.scope, entry.meaning.bag), entry.key)
            for word in set(entry.meaning.bag):
                _discard(self._by_word, (entry.scope, word), entry.key)

    def nearest(self, scope: str, asked: Meaning, accepts: Accepts) -> Nearest:
        """An entry of `scope` with the same content words that no rule refuses, else the nearest and its rule."""
        refused: Nearest | None = None
        same = list(self._by_bag.get((scope, asked.bag), {}).values())[-_MOST_VERIFIED:]
        for entry in reversed(same):
            if accepts(entry) and entry.meaning is not None:
                rule = reject_rule(entry.meaning, asked)
                if rule is None:
                    return Nearest(1.0, entry)
                refused = refused or Nearest(1.0, None, rule)
        return refused or self._similar(scope, asked, accepts)

    def _similar(self, scope: str, asked: Meaning, accepts: Accepts) -> Nearest:
        best, best_score = None, 0.0
        for entry in self._sharing(scope, set(asked.bag)):
            if accepts(entry) and entry.meaning is not None:
                score = _overlap(entry.meaning.bag, asked.bag)
                if score > best_score:
                    best, best_score = entry.meaning, score
        if best is None:
            return Nearest()
        return Nearest(best_score, None, reject_rule(best, asked) or "content_words")

    def _sharing(self, scope: str, words: set[str]) -> list[Entry]:
        """The entries that share most with `words`, by the rarest of these, until enough entries were looked at."""
        found = [postings for word in words if (postings := self._by_word.get((scope, word)))]
        counts: Counter[Entry] = Counter()
        for postings in sorted(found, key=len):
            if counts and len(counts) + len(postings) > _MOST_VISITED:
                break
            counts.update(list(postings.values())[-_MOST_VISITED:])
        return [entry for entry, _ in counts.most_common(_MOST_COMPARED)]


def _overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Shared words, each as often as it stands on both sides, by the mean length: Dice's coefficient."""
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other))


def _discard(index: dict[_Name, dict[str, Entry]], name: _Name, key: str) -> None:
    if (entries := index.get(name)) is not None:
        entries.pop(key, None)
        if not entries:
            del index[name]
