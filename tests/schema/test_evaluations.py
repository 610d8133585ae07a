"""Results of evaluations: from wherever they come, in whatever order, each stands once."""

from typing import Any

import pytest

from spandeck_collector.journal import Signal

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

RESULT = "gen_ai.evaluation.result"
FACTS = {"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": 0.7}
CALL = {"id": 1, "attributes": {"gen_ai.operation.name": "chat", "gen_ai.response.id": "r-1"}}


def log(**words: Any) -> bytes:
    """A log export of one result about the answer r-1."""
    attributes = FACTS | {"gen_ai.response.id": "r-1"} | words.pop("attributes", {})
    return otlp.logs([{"event": RESULT, "attributes": attributes, **words}])


def test_a_result_finds_its_call_whichever_comes_first(sandbox: Sandbox) -> None:
    sandbox.take((Signal.LOGS, log()))
    waiting = "select trace_id, span_id, subject from evaluations"
    assert sandbox.row(waiting) == {"trace_id": None, "span_id": None, "subject": "span"}
    sandbox.spans(CALL)
    found = {"trace_id": otlp.trace_id(1), "span_id": otlp.span_id(1), "subject": "span"}
    assert sandbox.row(waiting) == found


def test_spans_and_logs_that_are_sent_again_add_no_result(sandbox: Sandbox) -> None:
    event = {"name": RESULT, "attributes": FACTS | {"gen_ai.evaluation.name": "Tone"}}
    for _ in range(2):
        sandbox.spans({**CALL, "events": [event]})
        sandbox.take((Signal.LOGS, log()))
    assert sandbox.rows("select name from evaluations order by name") == [{"name": "Relevance"}, {"name": "Tone"}]
    assert sandbox.row("select count(*) as n from store.evaluations") == {"n": 2}


def test_the_same_verdict_about_two_spans_is_two_results(sandbox: Sandbox) -> None:
    event = {"name": RESULT, "attributes": FACTS}
    sandbox.spans({"id": 1, "events": [event]}, {"id": 2, "events": [event]})
    assert sandbox.row("select count(*) as n from evaluations") == {"n": 2}


def test_results_that_belong_to_nothing_are_told_apart_by_their_time(sandbox: Sandbox) -> None:
    sandbox.take((Signal.LOGS, otlp.logs([{"event": RESULT, "attributes": FACTS, "at_ms": at} for at in (1, 2)])))
    assert sandbox.row("select count(*) as n from evaluations") == {"n": 2}


def test_numbered_attributes_of_a_span_are_as_many_results(sandbox: Sandbox) -> None:
    attributes = {f"evaluations.{n}.evaluation.{part}": f"{n}" for n in range(12) for part in ("name", "score")}
    attributes |= {"evaluations.x.evaluation.name": "no", "my.evaluation.name": "no"}
    session = {"session.evaluations.0.evaluation.name": "mood", "session.id": "s1"}
    sandbox.spans({"id": 1, "attributes": attributes}, {"id": 2, "attributes": session})
    found = sandbox.rows("select name, score from evaluations where subject = 'span' order by score")
    assert found == [{"name": f"{n}", "score": n} for n in range(12)]
    assert sandbox.row("select session_id, span_id from evaluations where subject = 'session'") == {
        "session_id": "s1",
        "span_id": None,
    }


VERDICTS = [
    ("Hallucination", 0.5, None, True),
    ("hallucination_check", 0.4, None, False),
    ("Faithfulness", 0.4, None, True),
    ("groundedness", 0.9, None, False),
    ("Hallucination", 1.0, "factual", False),
    ("Hallucination", 0.0, "Yes", True),
    ("Faithfulness", 0.0, "yes", False),
    ("Faithfulness", 0.9, "fail", True),
    ("groundedness", 0.9, "who knows", False),
    ("groundedness", 4.0, None, None),
    ("groundedness", None, None, None),
    ("Relevance", 0.9, "yes", None),
    (None, 0.9, "yes", None),
]


def test_a_hallucination_is_told_by_label_then_by_score(sandbox: Sandbox) -> None:
    for name, score, label, hallucinated in VERDICTS:
        verdict = sandbox.row("select store.hallucinated(?, ?, ?) as found", [name, score, label])
        assert (name, score, label, verdict["found"]) == (name, score, label, hallucinated)
