"""Judgements of an agent's work as OpenTelemetry's event gen_ai.evaluation.result."""

from dataclasses import dataclass
from typing import Literal

from spandeck.attributes import known
from spandeck.events import Event
from spandeck.span_id import SpanId
from spandeck_schema import semantic_conventions as names

EvaluationSource = Literal["human", "code", "llm"]


@dataclass(frozen=True)
class Evaluation:
    """One judgement: what was judged, a score or a low-cardinality label or both, why, and by whom."""

    name: str
    score: float | None = None
    label: str | None = None
    explanation: str | None = None
    source: EvaluationSource = "code"
    response_id: str | None = None


def evaluation_event(judged: SpanId, evaluation: Evaluation, at_ns: int) -> Event:
    """The event for one judgement at `at_ns` (Unix nanoseconds); what is None is left out."""
    return Event(
        names.GEN_AI_EVALUATION_RESULT,
        at_ns,
        judged.trace_id,
        judged.span_id,
        known(
            {
                names.GEN_AI_EVALUATION_NAME: evaluation.name,
                names.GEN_AI_EVALUATION_SCORE_VALUE: None if evaluation.score is None else float(evaluation.score),
                names.GEN_AI_EVALUATION_SCORE_LABEL: evaluation.label,
                names.GEN_AI_EVALUATION_EXPLANATION: evaluation.explanation,
                names.GEN_AI_RESPONSE_ID: evaluation.response_id,
                names.SPANDECK_EVALUATION_SOURCE: evaluation.source,
            }
        ),
    )
