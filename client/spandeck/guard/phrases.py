"""Phrases over groups of words: a sentence becomes a string with one character a word, and a rule a short regex.

So a rule names what words do ("override", "rules") in ten languages at once, and reading a text costs one look-up
a word. The regexes hold no nested repetition and only bounded gaps: their time grows with the text, never faster.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_WORD: Final = re.compile(r"https?://|[^\W\d_]+(?:['\u2019][a-z]{1,2})?|@[\w-]+\.\w|[.!?\u3002]+(?=\s|$)|\n\s*\n")
_OTHER: Final = " "
_BOUNDARY: Final = "\n"
_LINK_WORDS: Final = ("http://", "https://")
_FIRST_CODE: Final = 0x100
_SHORTEST_MISSPELLED: Final = 6
_MOST_KEPT: Final = 16_384
_LONGEST_KEPT: Final = 24


class Vocabulary:
    """The words that rules know. Each set of groups that some word belongs to has one character of its own."""

    def __init__(self, groups: Mapping[str, Iterable[str]], misspelled: Iterable[str] = ()) -> None:
        """`groups` maps the name of a group to its words, in lower case without accents.

        Words of the groups named in `misspelled` are also known with one letter too few or too many or two
        swapped, where they have six letters or more and begin and end as they should.
        """
        memberships: dict[str, set[str]] = {}
        for group, words in groups.items():
            for word in words:
                memberships.setdefault(word, set()).add(group)
        codes: dict[frozenset[str], str] = {}
        for names in memberships.values():
            codes.setdefault(frozenset(names), chr(_FIRST_CODE + len(codes)))
        spelled = {word for group in misspelled for word in groups[group] if len(word) >= _SHORTEST_MISSPELLED}
        self._codes = _Codes({word: codes[frozenset(names)] for word, names in memberships.items()}, spelled)
        self._members = {
            group: "".join(code for names, code in codes.items() if group in names) for group in set().union(*codes)
        }

    def encode(self, text: str) -> str:
        """One character for each word of `text` and for each end of a sentence."""
        return "".join(map(self._codes.__getitem__, _WORD.findall(text)))

    def characters(self, group: str) -> str:
        """The characters that stand for the words of `group`."""
        return self._members[group]


class _Codes(dict[str, str]):
    """The character of each word; a word that is asked for the first time is worked out, and kept while few are."""

    def __init__(self, known: Mapping[str, str], spelled: Iterable[str]) -> None:
        super().__init__(known)
        self[_BOUNDARY] = _BOUNDARY
        self._spelled = frozenset(spelled)
        self._variants = {variant: word for word in spelled for variant in _variants(word) if variant not in known}
        self._ends = {(word[0], word[-1]) for word in spelled}

    def __missing__(self, token: str) -> str:
        plain = _plain(token)
        code = self.get(self._respelled(plain) if plain == token else plain, _OTHER)
        if len(self) < _MOST_KEPT and len(token) <= _LONGEST_KEPT and token[0] != "@":
            self[token] = code
        return code

    def _respelled(self, token: str) -> str:
        """The word that `token` is a misspelling of, or `token`."""
        if (token[0], token[-1]) not in self._ends or len(token) < _SHORTEST_MISSPELLED - 1:
            return token
        one_less = (token[:at] + token[at + 1 :] for at in range(1, len(token) - 1))
        return self._variants.get(token) or next((word for word in one_less if word in self._spelled), token)


def _variants(word: str) -> Iterator[str]:
    """`word` with one of its inner letters left out, or two of them swapped."""
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]
        if at < len(word) - 2:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def positions(text: str) -> list[tuple[int, int]]:
    """Where each word that `Vocabulary.encode` counts stands in `text`."""
    return [match.span() for match in _WORD.finditer(text)]


def literals_of(phrase: str, groups: Iterable[str]) -> set[str]:
    """The words that `phrase` names as such: all in parentheses, and others that are no group."""
    return {
        name
        for element in phrase.split()
        if not element.startswith("~") and element != "END"
        for name in _names(element)
        if element.startswith("(") or name not in groups
    }


def pattern_of(phrase: str, vocabulary: Vocabulary, groups: Iterable[str]) -> str:
    """`phrase` as a regular expression over encoded text; the notation is told in injection.toml."""
    return "".join(_element(element, vocabulary, groups) for element in phrase.split())


def required_of(phrase: str, vocabulary: Vocabulary, groups: Iterable[str]) -> tuple[frozenset[str], ...]:
    """For each word that `phrase` cannot do without: the characters of which a text must have one."""
    return tuple(
        frozenset(_members(element, vocabulary, groups))
        for element in phrase.split()
        if not element.startswith("~") and element != "END" and not element.endswith("?")
    )


def literal(word: str) -> str:
    """The name of the group that holds `word` alone."""
    return f"={word}"


def _element(element: str, vocabulary: Vocabulary, groups: Iterable[str]) -> str:
    if element == "END":
        return rf"(?=[{_BOUNDARY}]|\Z)"
    if element.startswith("~~"):
        return rf"[\s\S]{{0,{int(element[2:])}}}?"
    if element.startswith("~"):
        return rf"[^{_BOUNDARY}]{{0,{int(element[1:])}}}?"
    return f"[{_members(element, vocabulary, groups)}]" + ("?" if element.endswith("?") else "")


def _members(element: str, vocabulary: Vocabulary, groups: Iterable[str]) -> str:
    as_words = element.startswith("(")
    return "".join(
        vocabulary.characters(literal(name) if as_words or name not in groups else name) for name in _names(element)
    )


def _names(element: str) -> list[str]:
    return element.rstrip("?").strip("()").split("|")


def _plain(token: str) -> str:
    """A token as the vocabulary spells it."""
    first = token[0]
    if first == "@" or token in _LINK_WORDS:
        return "LINK"
    if first in ".!?\u3002\n":
        return _BOUNDARY
    return token.replace("\u2019", "'")
