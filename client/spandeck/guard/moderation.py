"""Moderation of answers by a list of rules that you edit; it knows phrases and patterns, not meaning."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

from spandeck.guard import rule_files
from spandeck.guard.verdict import Action, Finding, Verdict, worst

_SCORES: Final[dict[Action, float]] = {"allow": 0.0, "review": 0.5, "block": 1.0}
_FIELDS: Final = frozenset({"rule", "action", "words", "regex"})


@dataclass(frozen=True)
class ModerationRule:
    """One rule: `action` is "review" or "block" where one of `words` or `regex` occurs, whatever the case."""

    rule: str
    action: Action
    words: tuple[str, ...] = ()
    regex: str | None = None

    def __post_init__(self) -> None:
        if self.action not in ("review", "block"):
            raise ValueError(f'Moderation rule {self.rule!r} has action {self.action!r}: use "review" or "block".')
        if not self.words and not self.regex:
            raise ValueError(f"Moderation rule {self.rule!r} matches nothing: give words or a regex.")

    def pattern(self) -> re.Pattern[str]:
        """The rule as one regular expression; raises `ValueError` where `regex` is none."""
        phrases = [r"(?<!\w)" + r"\s+".join(map(re.escape, phrase.split())) + r"(?!\w)" for phrase in self.words]
        try:
            return re.compile("|".join([*phrases, *([self.regex] if self.regex else [])]), re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"Moderation rule {self.rule!r} has no valid regex: {error}.") from None


class Moderation:
    """A list of rules for answers. Stateless after it is made, safe for any thread."""

    def __init__(self, rules: Iterable[ModerationRule]) -> None:
        """Raises `ValueError` for a rule that cannot be used."""
        self.rules = tuple(rules)
        self._patterns = [(rule, rule.pattern()) for rule in self.rules]

    @classmethod
    def default(cls) -> Self:
        """The rules of moderation.toml in this package: a start, to be edited."""
        return cls(map(_rule, rule_files.packaged("moderation.toml")["rules"]))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """The rules of your TOML file. Raises `OSError` or `ValueError` where it cannot be read or used."""
        return cls(map(_rule, rule_files.parsed(Path(path).read_text(encoding="utf-8")).get("rules", [])))

    def check(self, text: str) -> Verdict:
        """The severest action of the rules that match, with where each first does."""
        matches = [(rule, match) for rule, pattern in self._patterns if (match := pattern.search(text))]
        findings = tuple(Finding(rule.rule, _SCORES[rule.action], *match.span()) for rule, match in matches)
        action = worst([rule.action for rule, _ in matches])
        return Verdict(action, _SCORES[action], findings)


def _rule(row: Mapping[str, Any]) -> ModerationRule:
    if unknown := row.keys() - _FIELDS:
        raise ValueError(f"Moderation rule {row.get('rule')!r} has unknown fields {sorted(unknown)}.")
    if missing := {"rule", "action"} - row.keys():
        raise ValueError(f"A moderation rule lacks {sorted(missing)}: {dict(row)!r}.")
    return ModerationRule(row["rule"], row["action"], tuple(row.get("words", ())), row.get("regex"))
