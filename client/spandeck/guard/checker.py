"""The guard: one object that checks, redacts and moderates texts, and never fails the agent that asks."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Literal, Self

from spandeck.guard.errors import SecurityError
from spandeck.guard.injection import RuleDetector
from spandeck.guard.moderation import Moderation
from spandeck.guard.placeholders import Placeholders
from spandeck.guard.recording import guardrail
from spandeck.guard.redaction import Mode, Redaction, Redactor
from spandeck.guard.stream import StreamRedactor
from spandeck.guard.verdict import ACTIONS, Action, Detector, Finding, Verdict, combined_score, worst

Fail = Literal["open", "closed"]
_FAIL_ACTIONS: Final[dict[Fail, Action]] = {"open": "allow", "closed": "block"}
# What stands in place of a text that could not be redacted, where the guard fails closed.
WITHHELD: Final = "[WITHHELD]"


class Guard:
    """Checks what goes in, redacts and moderates what comes out; safe for threads and tasks, holds no text.

    What it finds in words is a signal: new wordings pass, and now and then an honest text is stopped. Guarantees
    come from what no text can talk to: `Permissions`, `Budget`, `validate_input`, `Egress`, `Canary`.

    `detectors` read texts for prompt injection; their findings add up. From a score of `review_at` on a verdict
    is "review", from `block_at` on "block", but never severer than `on_injection`. Where a detector, a rule or a
    recognizer raises, the verdict carries the error and, with `fail` "closed", is "block"; "open" lets pass.
    Raises `ValueError` for settings that make no sense, and nothing later but the `SecurityError` of `require`.
    """

    def __init__(
        self,
        *,
        detectors: Sequence[Detector] = (),
        redactor: Redactor | None = None,
        moderation: Moderation | None = None,
        on_injection: Action = "block",
        fail: Fail = "open",
        review_at: float = 0.5,
        block_at: float = 0.8,
    ) -> None:
        if on_injection not in ACTIONS:
            raise ValueError(f"on_injection={on_injection!r} is unknown: use one of {', '.join(ACTIONS)}.")
        if fail not in _FAIL_ACTIONS:
            raise ValueError(f'fail={fail!r} is unknown: use "open" or "closed".')
        if not 0 < review_at <= block_at:
            raise ValueError(f"review_at={review_at} must be above 0 and at most block_at={block_at}.")
        self.detectors = tuple(detectors)
        self.redactor = Redactor() if redactor is None else redactor
        self.moderation = moderation
        self.on_injection: Action = on_injection
        self.fail: Fail = fail
        self.review_at = review_at
        self.block_at = block_at

    @classmethod
    def default(cls, *, redact: Mode = "mask", on_injection: Action = "block", fail: Fail = "open") -> Self:
        """The guard of the base install: our rule pack, all kinds of redaction, the moderation list to be edited."""
        return cls(
            detectors=(RuleDetector(),),
            redactor=Redactor(redact),
            moderation=_default_moderation(),
            on_injection=on_injection,
            fail=fail,
        )

    def check(self, text: str, source: str = "user") -> Verdict:
        """Whether `text` tries to inject instructions. `source` is "user" or "tool:NAME": what a tool returned.

        Takes well below 1 ms a KB. Recorded as the span `run_guardrail prompt_injection` of the open request.
        """
        return self._recorded("prompt_injection", source, lambda: self._check(text, source))

    def require(self, text: str, source: str = "user") -> Verdict:
        """As `check`, but raises `SecurityError` of kind "injection" where the verdict is "block"."""
        verdict = self.check(text, source)
        if verdict.action == "block":
            raise SecurityError(verdict.reason, "injection", verdict.rules)
        return verdict

    def moderate(self, text: str) -> Verdict:
        """What the moderation list says of an answer; "allow" where there is no list."""
        return self._recorded("moderation", None, lambda: self._moderate(text))

    def redact(self, text: str, placeholders: Placeholders | None = None) -> Redaction:
        """`text` without personal data and secrets: `.text`, and `.spans` with start, end and kind in the original.

        `placeholders` as for `Redactor.redact`. About 0.5 ms a KB. The span `run_guardrail
        redaction` of the open request tells how much was found and of which kinds.
        """
        span = guardrail("redaction")
        try:
            redaction = self.redactor.redact(text, placeholders)
        except Exception as error:
            redaction = Redaction(text, (), _sentence(error))
        if redaction.error is not None and self.fail == "closed":
            redaction = replace(redaction, text=WITHHELD)
        if span is not None:
            span.redacted(dict.fromkeys(one.kind for one in redaction.spans), len(redaction.spans), redaction.error)
        return redaction

    def redact_stream(self, placeholders: Placeholders | None = None) -> StreamRedactor:
        """A redactor for one streamed answer: what `redact` gives of the whole, piece by piece."""
        return StreamRedactor(self.redactor, placeholders)

    def _check(self, text: str, source: str) -> Verdict:
        findings: list[Finding] = []
        errors: list[str] = []
        for detector in self.detectors:
            try:
                findings += detector.scan(text, source)
            except Exception as error:
                errors.append(_sentence(error))
        score = combined_score(findings)
        action = min(self._action(score), self.on_injection, key=ACTIONS.index)
        if errors:
            action = worst([action, _FAIL_ACTIONS[self.fail]])
        return Verdict(action, score, tuple(findings), "; ".join(errors) or None)

    def _moderate(self, text: str) -> Verdict:
        try:
            return Verdict("allow", 0.0) if self.moderation is None else self.moderation.check(text)
        except Exception as error:
            return Verdict(_FAIL_ACTIONS[self.fail], 0.0, (), _sentence(error))

    def _action(self, score: float) -> Action:
        if score >= self.block_at:
            return "block"
        return "review" if score >= self.review_at else "allow"

    def _recorded(self, name: str, source: str | None, decide: Callable[[], Verdict]) -> Verdict:
        span = guardrail(name)
        verdict = decide()
        if span is not None:
            span.concluded(verdict, source)
        return verdict


@functools.cache
def _default_moderation() -> Moderation:
    return Moderation.default()


def _sentence(error: Exception) -> str:
    """What failed, without the message of the error: that may quote the text."""
    return f"{type(error).__name__} in a detector, rule or recognizer"
