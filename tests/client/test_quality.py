"""The local measures of an answer: what nothing supports, and what was not judged."""

import pytest

from spandeck import Telemetry, quality
from spandeck.quality import Assessment, citation_valid, hallucination_ratio, tool_claim_supported, unsupported_values

from .sink import Sink

pytestmark = pytest.mark.unit

CONTEXT = (
    'Order 4711 of Ada Lovelace cost 1,500.00 EUR. See https://shop.example/orders/4711. "It ships on Friday at noon."'
)


@pytest.mark.parametrize(
    "answer",
    [
        "Your order 4711 cost 1500 EUR.",
        "The order of Ada Lovelace: https://shop.example/orders/4711.",
        'They wrote "it ships on Friday at noon".',
        "1. Wait\n2. Pay 1,500.0",
    ],
)
def test_values_of_the_context_are_supported(answer: str) -> None:
    judged = unsupported_values(answer, [CONTEXT])
    assert (judged.label, judged.score, judged.findings) == ("supported", 1.0, ())


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ("It cost 1600 EUR.", "1600"),
        ("It is for Grace Hopper.", "Grace Hopper"),
        ("See https://evil.example/x.", "https://evil.example/x"),
        ('They wrote "it ships on Monday at noon".', "it ships on Monday at noon"),
    ],
)
def test_values_that_no_context_has_are_found(answer: str, finding: str) -> None:
    judged = unsupported_values(answer, [CONTEXT])
    assert judged.label == "unsupported"
    assert finding in judged.findings
    assert finding in judged.explanation


def test_an_answer_without_values_is_not_judged() -> None:
    judged = unsupported_values("it is fine.", [CONTEXT])
    assert (judged.label, judged.score, judged.explanation) == (
        "not_judged",
        None,
        "Nothing in the answer could be judged.",
    )


def test_citations_must_exist_and_quotations_stand_in_what_is_cited() -> None:
    sources = {"doc-1": "The sky is blue at noon.", "doc-2": "Grass is green all the year."}
    assert citation_valid('"the sky is blue at noon" [doc-1]', sources).label == "supported"
    assert citation_valid("It is so [doc-9].", sources).findings == ("[doc-9]",)
    assert citation_valid('"grass is green all the year" [doc-1]', sources).label == "unsupported"
    assert citation_valid("It is so.", sources).label == "not_judged"


def test_claimed_actions_need_a_tool_that_does_such_things() -> None:
    assert tool_claim_supported("I have sent the mail.", ["gmail.send_message"]).label == "supported"
    claimed = tool_claim_supported("I've sent the mail and we refunded you.", ["find_order"])
    assert (claimed.label, claimed.judged_count) == ("unsupported", 2)
    assert tool_claim_supported("You can send a mail.", []).label == "not_judged"


def test_the_ratio_is_of_the_judged_and_says_how_many() -> None:
    judged = [
        Assessment("n", "unsupported", 0.0),
        Assessment("n", "supported", 1.0),
        Assessment("n", "not_judged", None),
    ]
    assert hallucination_ratio(judged) == quality.HallucinationRatio(0.5, 2)
    assert hallucination_ratio(judged[2:]) == quality.HallucinationRatio(None, 0)


@pytest.mark.integration
def test_a_measure_is_recorded_as_an_evaluation_result(telemetry: Telemetry, sink: Sink) -> None:
    with telemetry.request("a") as req, req.llm_call("m") as call:
        unsupported_values("It cost 1600 EUR.", [CONTEXT]).record(call)
    assert telemetry.flush()
    event = sink.event("gen_ai.evaluation.result")
    assert event.span_id == call.span_id
    assert event.attributes["gen_ai.evaluation.name"] == "unsupported_values"
    assert event.attributes["gen_ai.evaluation.score.label"] == "unsupported"
