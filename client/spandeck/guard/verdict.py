"""What a check finds and what follows from it: findings, the verdict, and the protocol of a detector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Action = Literal["allow", "review", "block"]
ACTIONS: Final[tuple[Action, ...]] = ("allow", "review", "block")
# Findings further apart than this, in characters, do not add up: length alone makes no text suspicious.
_NEIGHBOURHOOD: Final = 600


@dataclass(frozen=True)
class Finding:
    """One rule that matched: `start` and `end` are offsets of characters in the text as it was given.

    `score` is 0 to 1, how much the rule alone says. `view` tells where the words stood: "text", or the
    encoding they were hidden in, such as "base64" or "unicode_tags"; offsets then frame the encoded part.
    """

    rule: str
    score: float
    start: int
    end: int
    view: str = "text"


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check: what to do, how sure (0 to 1), and why.

    `error` is set where the check itself failed: then `action` is what `fail` of the guard said ("allow" or
    "block"), and the sentence tells what went wrong. A verdict is a signal; see `spandeck.guard`.
    """

    action: Action
    score: float
    findings: tuple[Finding, ...] = ()
    error: str | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that matched, each once, in the order of the text."""
        return tuple(dict.fromkeys(finding.rule for finding in self.findings))

    @property
    def reason(self) -> str:
        """One sentence for a person; quotes nothing of the text."""
        if self.error is not None:
            return f"The check failed: {self.error}"
        if not self.findings:
            return "Nothing found"
        return f"Potential prompt injection detected: {', '.join(self.rules)} (score {self.score:.2f})"


class Detector(Protocol):
    """Anything that reads a text and says what it finds; a learned model fits behind the same method."""

    def scan(self, text: str, source: str) -> list[Finding]:
        """The findings in `text`, which came from `source`: "user" or "tool:NAME". May raise: the guard takes it."""
        ...


def worst(actions: Sequence[Action]) -> Action:
    """The severest of `actions`; "allow" where there is none."""
    return max(actions, key=ACTIONS.index, default="allow")


def combined_score(findings: Sequence[Finding]) -> float:
    """How sure all findings together make us, 0 to 1.

    Within a neighbourhood of 600 characters each rule counts once, by its best score, and scores add up as
    independent evidence does: 1 - (1 - a)(1 - b). The strongest neighbourhood is the score of the text.
    """
    ordered = sorted(findings, key=lambda finding: finding.start)
    best = 0.0
    for first, anchor in enumerate(ordered):
        scores: dict[str, float] = {}
        for finding in ordered[first:]:
            if finding.start - anchor.start > _NEIGHBOURHOOD:
                break
            scores[finding.rule] = max(finding.score, scores.get(finding.rule, 0.0))
        best = max(best, _together(scores))
    return round(best, 4)


def _together(scores: dict[str, float]) -> float:
    doubt = 1.0
    for score in scores.values():
        doubt *= 1.0 - score
    return 1.0 - doubt
