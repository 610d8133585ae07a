"""Content has its own store: exact, each part once, bounded in size and age, and once with its span."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.settings import Settings
from spandeck_collector.store.content_parts import GAP, KnownParts
from spandeck_collector.store.retention import Retention
from spandeck_schema.content import load_content

from . import conversations, otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

PROMPT = "gen_ai.input.messages"
LONG = "".join(f"line {number}\n" for number in range(1_000))
SECTION_10 = {
    "instructions": ["gen_ai.system_instructions"],
    "input": [
        "gen_ai.input.messages", "gen_ai.prompt", "gen_ai.prompt.0.role", "gen_ai.prompt.12.content", "input.value",
        "traceloop.entity.input", "llm.input_messages.0.message.role", "llm.input_messages.3.message.content",
        "llm.input_messages.0.message.contents.1.message_content.text", "ai.prompt", "ai.prompt.messages",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments", "ai.toolCall.args",
        "langfuse.observation.input", "mlflow.spanInputs", "gcp.vertex.agent.llm_request", "user_prompt",
        "gcp.vertex.agent.tool_call_args", "pydantic_ai.all_messages", "gen_ai.tool.call.arguments", "tool.parameters",
    ],
    "output": [
        "gen_ai.output.messages", "gen_ai.completion", "gen_ai.completion.0.tool_calls.0.name", "output.value",
        "traceloop.entity.output", "llm.output_messages.0.message.content", "ai.response.text", "ai.response.toolCalls",
        "ai.toolCall.result", "langfuse.observation.output", "mlflow.spanOutputs", "gcp.vertex.agent.llm_response",
        "gcp.vertex.agent.tool_response", "gen_ai.tool.call.result",
    ],
    "tools": ["gen_ai.tool.definitions", "llm.tools.0.tool.json_schema"],
    "documents": ["retrieval.documents.0.document.content", "retrieval.documents.4.document.score"],
}  # fmt: skip
STAY = ["gen_ai.request.model", "llm.token_count.prompt", "input.mime_type", "retrieval.documents", "x.0.role"]


def contents(sandbox: Sandbox) -> list[Any]:
    """The contents in the order in which they came."""
    rows = sandbox.rows("select content from span_content order by received_at, span_id, name")
    return [row["content"] for row in rows]


def part_count(sandbox: Sandbox) -> int:
    count: int = sandbox.row("select count(*) as n from store.content_parts")["n"]
    return count


def received(body: bytes, offset: int, at: timedelta) -> Record:
    return Record(Signal.TRACES, otlp.NOON_NS + round(at.total_seconds()) * 10**9, body, Position(1, offset))


def prompt(text: str, number: int = 1) -> bytes:
    return otlp.traces([{"id": number, "attributes": {PROMPT: text}}])


def test_every_dialect_is_known() -> None:
    rules = load_content()
    for side, names in SECTION_10.items():
        for name in names:
            place = rules.place(name)
            assert place is not None, name
            assert place.side == side, name
    assert [name for name in STAY if rules.place(name)] == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[content]]\nside = "left"', "A content block has the side 'left': it must be one of instructions, input"),
        ('[[content]]\nside = "input"\nevents = ["a"]', r"The content block of the events \['a'\] needs a name and"),
    ],
)
def test_a_bad_block_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_content(text)


def test_any_text_comes_back_as_it_was(sandbox: Sandbox) -> None:
    texts = [
        "",
        "a",
        "\x00",
        "é€🦀" * 700,
        LONG,
        "}, {" * 900,
        "\\'\"",
        json.dumps([{"a": "b" * 99}] * 90),
        "[" * 9_000,
    ]
    sandbox.spans(*({"id": number, "attributes": {PROMPT: text}} for number, text in enumerate(texts, 1)))
    assert contents(sandbox) == texts
    rows = sandbox.rows("select content_bytes, is_cut from span_content order by span_id")
    assert rows == [{"content_bytes": len(text.encode()), "is_cut": False} for text in texts]
    assert sandbox.rows("select distinct attributes from spans") == [{"attributes": {}}]


def test_a_structured_value_is_json(sandbox: Sandbox) -> None:
    sandbox.spans({"id": 1, "attributes": {PROMPT: [{"role": "user", "parts": [{"content": "hi"}]}]}})
    assert contents(sandbox) == ['[{"role": "user", "parts": [{"content": "hi"}]}]']


def test_an_empty_value_is_no_content(sandbox: Sandbox) -> None:
    sandbox.spans({"id": 1, "attributes": {PROMPT: None, "llm.input_messages.0.message.role": None}})
    assert contents(sandbox) == []


def test_columns_are_filled_before_the_content_leaves(sandbox: Sandbox) -> None:
    for number in (1, 2):
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "{}"}
        sandbox.spans({"id": number, "attributes": attributes})
    assert sandbox.row("select loop_count from traces") == {"loop_count": 1}


@pytest.mark.parametrize("tell", [conversations.genai, conversations.openinference, conversations.strands])
def test_a_conversation_of_50_turns_takes_less_than_a_tenth(tmp_path: Path, tell: Callable[..., Any]) -> None:
    sandbox = Sandbox(tmp_path, content_bytes=1 << 20)
    spans = list(conversations.spans(tell, 50))
    for first in range(0, 50, 10):
        sandbox.spans(*spans[first : first + 10])
    stored = sandbox.row(
        """
        select
            (select sum(strlen(content) + strlen(hash)) from store.content_parts)
            + (select sum(32 * len(coalesce(part_hashes, [content_hash]))) from store.span_content)
            + (select sum(strlen(cast(attributes as varchar))) from store.spans) as bytes
        """
    )["bytes"]
    sent = sum(map(conversations.text_bytes, spans))
    assert stored < sent / 10
    assert sandbox.row("select bool_and(strlen(content) = content_bytes) as whole from span_content") == {"whole": True}
    sandbox.connection.close()


def test_the_text_of_the_last_turn_is_whole(sandbox: Sandbox) -> None:
    spans = list(conversations.spans(conversations.genai, 8))
    sandbox.spans(*spans)
    found = sandbox.rows("select content from span_content where name = ? order by span_id", [PROMPT])
    assert [row["content"] for row in found] == [span["attributes"][PROMPT] for span in spans]


def test_what_is_too_long_is_cut_in_the_middle(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, content_bytes=2_000)
    sandbox.spans({"id": 1, "attributes": {PROMPT: LONG, "gen_ai.output.messages": "short"}})
    row, short = sandbox.rows("select content, content_bytes, is_cut from span_content order by name")
    head, _, tail = row["content"].partition(GAP.decode())
    assert LONG.startswith(head)
    assert LONG.endswith(tail)
    assert 1_000 < len(head) + len(tail) <= 2_000
    assert (row["content_bytes"], row["is_cut"]) == (len(LONG), True)
    assert short["content"] == "short"
    sandbox.connection.close()


def test_with_0_bytes_only_length_and_hash_are_kept(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, content_bytes=0)
    sandbox.spans({"id": 1, "attributes": {PROMPT: "hello"}}, {"id": 2, "attributes": {PROMPT: "hello"}})
    rows = sandbox.rows("select content, content_bytes, is_cut, content_hash is not null as hashed from span_content")
    assert rows == 2 * [{"content": None, "content_bytes": 5, "is_cut": True, "hashed": True}]
    assert part_count(sandbox) == 0
    sandbox.connection.close()


def test_the_same_text_is_stored_once_an_hour(sandbox: Sandbox) -> None:
    hours = (0, 0, 1, 1, 0)
    for number, hour in enumerate(hours, 1):
        sandbox.ingest.store([received(prompt(LONG, number), number, timedelta(hours=hour))])
    assert contents(sandbox) == [LONG] * 5
    per_hour = sandbox.rows("select received_hour, count(distinct hash) as n from store.content_parts group by all")
    assert len(per_hour) == 2


def test_records_of_two_hours_in_one_batch_have_parts_in_both(sandbox: Sandbox) -> None:
    records = [received(prompt(LONG, number), number, timedelta(hours=number)) for number in (1, 2)]
    sandbox.ingest.store(records)
    assert contents(sandbox) == [LONG, LONG]


def test_old_text_goes_and_its_length_and_hash_stay(sandbox: Sandbox) -> None:
    for number, hour in ((1, 0), (2, 1)):
        sandbox.ingest.store([received(prompt(LONG, number), number, timedelta(hours=hour))])
    now = datetime(2026, 5, 4, 13) + timedelta(days=7)
    retention = Retention(sandbox.ingest, Settings(), now=lambda: now)
    while retention.step():
        pass
    assert contents(sandbox) == [None, LONG]
    assert sandbox.row("select count(distinct content_hash) as n, min(content_bytes) as b from span_content") == {
        "n": 1,
        "b": len(LONG),
    }


def test_a_restart_remembers_what_is_stored(sandbox: Sandbox) -> None:
    sandbox.ingest.store([received(prompt(LONG, 1), 1, timedelta())])
    before = part_count(sandbox)
    sandbox.restart()
    sandbox.ingest.store([received(prompt(LONG, 2), 2, timedelta())])
    assert part_count(sandbox) == before
    assert contents(sandbox) == [LONG, LONG]


def test_a_part_that_is_stored_twice_shows_once(sandbox: Sandbox) -> None:
    sandbox.ingest.store([received(prompt(LONG, 1), 1, timedelta())])
    sandbox.connection.execute("insert into store.content_parts from store.content_parts")
    assert contents(sandbox) == [LONG]


def test_a_resent_span_brings_no_second_content(sandbox: Sandbox) -> None:
    for offset in (1, 2):
        sandbox.ingest.store([received(prompt(LONG), offset, timedelta())])
    both = otlp.traces([{"id": number, "attributes": {PROMPT: LONG}} for number in (2, 2)])
    sandbox.ingest.store([received(both, 3, timedelta())])
    assert contents(sandbox) == [LONG, LONG]


def test_a_batch_that_is_rolled_back_leaves_no_trace(sandbox: Sandbox) -> None:
    """The second record cannot be stored: the batch is halved, and the first half is stored with all its parts."""
    damaged = Record(Signal.TRACES, otlp.NOON_NS, b"\xff", Position(1, 2))
    refusals = Record(Signal.REFUSALS, otlp.NOON_NS, b'{"refusals": [{"signal": 1}]}', Position(1, 4))
    good = [received(prompt(LONG, number), number, timedelta()) for number in (1, 3)]
    sandbox.ingest.store([good[0], damaged, good[1], refusals])
    assert contents(sandbox) == [LONG, LONG]
    assert sandbox.row("select count(*) - count(distinct hash) as twice from store.content_parts") == {"twice": 0}


def test_hundreds_of_keys_are_one_value(sandbox: Sandbox) -> None:
    keys = {f"llm.input_messages.{n}.message.{key}": f"{key} {n}" for n in range(300) for key in ("role", "content")}
    sandbox.spans({"id": 1, "attributes": dict(reversed(keys.items())) | {"kept": 1}})
    (text,) = contents(sandbox)
    told = [entry for message in json.loads(text) for entry in message.items()]
    assert {f"llm.input_messages.{key}": value for key, value in told} == keys
    assert [int(next(iter(message)).split(".")[0]) for message in json.loads(text)] == list(range(300))
    assert sandbox.row("select attributes from spans") == {"attributes": {"kept": "1"}}


def test_hostile_names_and_texts_are_only_data(sandbox: Sandbox) -> None:
    evil = "'); drop table store.spans; --\x00\u2028<script>{{}}"
    names = [
        f"gen_ai.prompt.{'9' * 400}.role",
        "gen_ai.prompt.0",
        "gen_ai.prompt.0.0.0",
        f"llm.tools.1.{evil}",
        "." * 999,
    ]
    sandbox.spans({"id": 1, "attributes": dict.fromkeys((*names, PROMPT), evil)})
    sandbox.spans(*({"id": n, "attributes": {f"gen_ai.prompt.{n}.{n}.x": "y", f"{n}.{n}": n}} for n in range(2, 500)))
    rows = sandbox.rows("select name, content from span_content where span_id = ? order by name", [otlp.span_id(1)])
    assert [row["name"] for row in rows] == [PROMPT, "gen_ai.prompt", "llm.tools"]
    assert rows[0]["content"] == evil
    assert len(json.loads(rows[1]["content"])) == 2
    assert sandbox.row("select attributes from spans where span_id = ?", [otlp.span_id(1)]) == {
        "attributes": {"." * 999: evil}
    }


def test_content_of_one_trace_is_found_among_many(sandbox: Sandbox) -> None:
    """The join reads the parts of the hours of the trace, not all of them."""
    sandbox.connection.execute(
        """
        insert into store.content_parts
        select timestamp '2026-01-01' + interval (i // 1000) hour, md5(cast(i as varchar)), 'text'
        from range(400_000) as made (i)
        """
    )
    sandbox.spans({"id": 1, "attributes": {PROMPT: LONG}})
    plan = sandbox.connection.execute(
        "explain analyze select content from span_content where trace_id = ?", [otlp.trace_id(1)]
    ).fetchall()[0][1]
    assert "Join Type: RIGHT" in plan or "Join Type: INNER" in plan
    assert "400,000 rows" not in plan


def test_known_parts_stay_bounded_and_texts_exact(sandbox: Sandbox) -> None:
    sandbox.ingest.keeping.known = KnownParts(most=3)
    began = time.time_ns()
    for number in range(1, 6):
        sandbox.spans({"id": number, "attributes": {PROMPT: LONG + str(began)}})
    assert contents(sandbox) == [LONG + str(began)] * 5
