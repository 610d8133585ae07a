"""Judgements of an agent's work as OpenTelemetry's event gen_ai.evaluation.result."""

from dataclasses import dataclass
from typing import Literal

from spandeck.attributes import known
from spandeck.events import Event
from spandeck_schema import semantic_conventions as names

EvaluationSource = Literal["human", "code", "llm"]


@dataclass(frozen=True)
class Judged:
    """The span that a judgement is about, by its ids as integers."""

    trace_id: int
    span_id: int

    @classmethod
    def from_hex(cls, trace_id: str, span_id: str) -> "Judged":
        """From 32 and 16 hex digits; raises `ValueError` for anything else."""
        if len(trace_id) != 32 or len(span_id) != 16:
            raise ValueError(
                f"Trace id {trace_id!r} and span id {span_id!r} must be 32 and 16 hex digits: "
                "take them from `Request.trace_id` and `.span_id`."
            )
        return cls(int(trace_id, 16), int(span_id, 16))


def evaluation_event(
    judged: Judged,
    name: str,
    score: float | None,
    label: str | None,
    explanation: str | None,
    source: EvaluationSource,
    response_id: str | None,
    at_ns: int,
) -> Event:
    """The event for one judgement at `at_ns` (Unix nanoseconds); what is None is left out."""
    return Event(
        names.GEN_AI_EVALUATION_RESULT,
        at_ns,
        judged.trace_id,
        judged.span_id,
        known(
            {
                names.GEN_AI_EVALUATION_NAME: name,
                names.GEN_AI_EVALUATION_SCORE_VALUE: None if score is None else float(score),
                names.GEN_AI_EVALUATION_SCORE_LABEL: label,
                names.GEN_AI_EVALUATION_EXPLANATION: explanation,
                names.GEN_AI_RESPONSE_ID: response_id,
                names.SPANDECK_EVALUATION_SOURCE: source,
            }
        ),
    )
