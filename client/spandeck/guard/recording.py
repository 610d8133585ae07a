"""What the guard decided, on spans of the open request: rules and scores, never a word of the text."""

from collections.abc import Iterable
from typing import Final

from opentelemetry.trace import SpanKind

from spandeck.attributes import quietly
from spandeck.guard.errors import Refusal, SecurityError
from spandeck.guard.verdict import Finding, Verdict
from spandeck.origin import Origin
from spandeck.scope import Scope, ambient
from spandeck_schema import semantic_conventions as names

_MOST_FINDINGS: Final = 16


class Guardrail(Scope):
    """One guardrail at work: the span `run_guardrail {name}` below the open request, if there is one.

    Made by `guardrail`, ended by what it concludes.
    """

    def __init__(self, origin: Origin, name: str) -> None:
        known: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: names.OPERATION_RUN_GUARDRAIL,
            names.GEN_AI_SECURITY_GUARDRAIL: name,
        }
        super().__init__(
            origin,
            f"{names.OPERATION_RUN_GUARDRAIL} {name}",
            SpanKind.INTERNAL,
            known | origin.details.identity(),
        )

    @quietly
    def concluded(self, verdict: Verdict, source: str | None) -> None:
        """Record the verdict and end the span."""
        self._set(
            {
                names.SPANDECK_GUARD_ACTION: verdict.action,
                names.SPANDECK_GUARD_SCORE: verdict.score,
                names.SPANDECK_GUARD_RULES: verdict.rules or None,
                names.SPANDECK_GUARD_SOURCE: source,
                names.SPANDECK_GUARD_ERROR: verdict.error,
                names.GEN_AI_SECURITY_VERDICT: verdict.action,
                names.GEN_AI_SECURITY_RISK_SCORE: verdict.score,
            }
        )
        for finding in verdict.findings[:_MOST_FINDINGS]:
            self._span.add_event(names.SECURITY_FINDING_EVENT, _finding(finding), self.clock.now_ns())
        self.end()

    @quietly
    def redacted(self, kinds: Iterable[str], count: int, error: str | None) -> None:
        """Record how many parts were redacted and of which kinds, and end the span."""
        self._set(
            {
                names.SPANDECK_REDACTION_COUNT: count,
                names.SPANDECK_GUARD_RULES: tuple(kinds) or None,
                names.SPANDECK_GUARD_ERROR: error,
            }
        )
        self.end()


def guardrail(name: str) -> Guardrail | None:
    """A started guardrail span below the request that is open here, or None where none is."""
    request = ambient()[1]
    return None if request is None else Guardrail(request._below(), name)


def refusal(reason: str, kind: Refusal, findings: tuple[str, ...] = ()) -> SecurityError:
    """The error to raise for a refusal, recorded as a verdict "block" of the guardrail `kind`."""
    span = guardrail(kind)
    if span is not None:
        span.concluded(Verdict("block", 1.0, tuple(Finding(rule, 1.0, 0, 0) for rule in findings)), None)
    return SecurityError(reason, kind, findings)


def _finding(finding: Finding) -> dict[str, str | float]:
    return {
        names.GEN_AI_SECURITY_POLICY_RULE_ID: finding.rule,
        names.GEN_AI_SECURITY_RISK_SCORE: finding.score,
    }
