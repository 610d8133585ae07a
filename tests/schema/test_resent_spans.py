"""A span that comes again: the version with the later end stands, whichever came first, and stands once."""

from typing import Any

import pytest

from . import otlp
from .sandbox import Sandbox
from .test_normalize_history import contents, run

pytestmark = pytest.mark.integration

CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme", "gen_ai.request.model": "acme-1"}
USAGE = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
MESSAGES = "gen_ai.input.messages"


def version(text: str, ms: float, **attributes: Any) -> otlp.Words:
    """One span with an event, content and an evaluation, all of which say `text`."""
    told = CALL | {MESSAGES: text, "evaluation.name": text, "evaluation.score": 1.0} | attributes
    return {"trace": 1, "id": 1, "service": "shop", "ms": ms, "attributes": told, "events": [{"name": text}]}


OPEN = version("begun", -1)
PENDING = version("pending", 0)
ENDED = version("ended", 200, **USAGE)
OTHER = {"trace": 1, "id": 2, "parent": 1, "service": "shop", "attributes": CALL | USAGE}


def told(sandbox: Sandbox) -> list[list[dict[str, Any]]]:
    """All that is derived from the spans but when they came."""
    return [
        sandbox.rows("select * exclude received_at from store.spans order by span_id"),
        sandbox.rows("select * exclude first_received_at from store.calls order by span_id"),
        sandbox.rows("select * exclude (first_received_at, last_received_at) from store.traces"),
        sandbox.rows("select name from store.span_events"),
        sandbox.rows("select name, content_hash from store.span_content"),
        sandbox.rows("select name from store.evaluations"),
    ]


@pytest.mark.parametrize(
    "batches",
    [
        [[OPEN], [ENDED, OTHER]],
        [[ENDED], [OPEN, OTHER]],
        [[OTHER, OPEN, ENDED]],
        [[ENDED, OPEN], [OTHER]],
        [[OPEN, OTHER], [ENDED], [ENDED], [OPEN]],
        [[OPEN], [PENDING], [OTHER], [ENDED]],
        [[PENDING, OTHER], [OPEN, ENDED, PENDING]],
    ],
)
def test_the_version_with_the_later_end_stands_once(sandbox: Sandbox, batches: list[list[otlp.Words]]) -> None:
    for batch in batches:
        sandbox.spans(*batch)
    rows = told(sandbox)
    assert [[row["name"] for row in found] for found in rows[3:]] == [["ended"], [MESSAGES], ["ended"]]
    health = sandbox.row("select stored_count, received_count - duplicate_count as kept_count from ingest_health")
    assert health == {"stored_count": 2, "kept_count": 2}
    trace = sandbox.row("select span_count, llm_call_count, input_tokens, duration_ms from traces")
    assert trace == {"span_count": 2, "llm_call_count": 1, "input_tokens": 1000, "duration_ms": 200}
    before = contents(sandbox)
    assert sum(answer["changed_span_count"] for answer in run(sandbox)) == 0
    assert contents(sandbox) == before


def test_of_two_versions_with_one_end_the_first_stands(sandbox: Sandbox) -> None:
    sandbox.spans(version("first", 100), version("second", 100))
    sandbox.spans(version("third", 100))
    assert sandbox.rows("select name from span_events") == [{"name": "first"}]


def test_no_order_of_the_versions_changes_a_row(tmp_path_factory: pytest.TempPathFactory) -> None:
    orders = ([[OPEN], [ENDED, OTHER]], [[OTHER, ENDED], [OPEN]], [[OTHER, OPEN, ENDED]])
    found = []
    for order in orders:
        sandbox = Sandbox(tmp_path_factory.mktemp("order"))
        for batch in order:
            sandbox.spans(*batch)
        found.append(told(sandbox))
        sandbox.connection.close()
    assert found[1:] == found[:1] * 2
