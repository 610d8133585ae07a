"""Each shipped rule: what fires it, and what nearly does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from spandeck_collector.alerts.rule import shipped_rules
from spandeck_collector.alerts.rule_sql import bound_query, readings_query, sightings_query
from spandeck_collector.journal import Signal
from spandeck_collector.store.decode import Batch
from spandeck_collector.store.query_gate import check
from tests.schema import otlp
from tests.schema.sandbox import Sandbox

from .live import NOON, Live

pytestmark = pytest.mark.integration

Words = dict[str, Any]
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme", "gen_ai.request.model": "acme-1"}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def tool(number: int, **words: Any) -> Words:
    return {"id": number, "trace": 1, "at_ms": number * 1000, "attributes": TOOL} | words


def hashed(number: int, arguments: str) -> Words:
    return tool(number, attributes=TOOL | {"spandeck.tool.arguments_hash": arguments})


def step(number: int) -> Words:
    return {"id": number, "trace": 1, "at_ms": number, "attributes": {"spandeck.step": number}}


def guardrail(verdict: str, name: str = "prompt_injection") -> Words:
    words = {"gen_ai.operation.name": "run_guardrail", "gen_ai.security.guardrail": name}
    return {"id": 1, "attributes": words | {"gen_ai.security.verdict": verdict}}


def requests(count: int, failed: int = 0, slow: int = 0, per_s: float = 1.0) -> list[Words]:
    """Whole requests, one a trace and a second, the first ones failed or slow."""
    return [
        {
            "id": number,
            "trace": number,
            "at_ms": number * 1000 / per_s,
            "ms": 5_001 if number <= slow else 100,
            "status": "ERROR" if number <= failed else "UNSET",
        }
        for number in range(1, count + 1)
    ]


def tools(count: int, failed: int) -> list[Words]:
    return [tool(number, status="ERROR" if number <= failed else "UNSET") for number in range(1, count + 1)]


def priced(count: int, usd: float) -> list[Words]:
    """Calls of acme-dear that cost so much together, each in a trace of its own."""
    tokens = round(usd / count / 30e-6)
    used = {"gen_ai.request.model": "acme-dear", "gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": 0}
    return [{"id": n, "trace": n, "at_ms": n * 1000, "attributes": CHAT | used} for n in range(1, count + 1)]


def unpriced(count: int) -> list[Words]:
    used = {"gen_ai.request.model": "unheard-of", "gen_ai.usage.input_tokens": 1, "gen_ai.usage.output_tokens": 1}
    return [{"id": n, "trace": n, "at_ms": n * 1000, "attributes": CHAT | used} for n in range(1, count + 1)]


def first_token(seconds: float) -> list[Words]:
    return [{"id": 1, "ms": 9_000, "attributes": CHAT | {"gen_ai.response.time_to_first_chunk": seconds}}]


ARRIVALS: list[tuple[str, list[Words], list[Words], str]] = [
    ("slow_first_token", first_token(2.001), first_token(2.0), "acme-1"),
    ("failed_tool_call", [tool(1, status="ERROR")], [tool(1)], "search: _OTHER"),
    ("expensive_request", priced(1, 1.01), priced(1, 0.99), "work"),
    (
        "tool_loop",
        [hashed(n, "axabaa"[n - 1]) for n in range(1, 7)],
        [hashed(n, "axabax"[n - 1]) for n in range(1, 7)],
        "search",
    ),
    ("step_limit", [step(n) for n in range(1, 27)], [step(n) for n in range(1, 26)], "work"),
    ("prompt_injection_blocked", [guardrail("block")], [guardrail("review")], "prompt_injection"),
]
WINDOWS: list[tuple[str, list[Words], list[Words], str]] = [
    ("slow_requests", requests(40, slow=3), requests(40, slow=2), "an unnamed service"),
    ("error_ratio", requests(39, failed=2), requests(40, failed=2), "an unnamed service"),
    ("tool_failure_ratio", tools(14, failed=3), tools(15, failed=3), "search"),
    ("cost_per_hour", priced(20, 10.1), priced(20, 9.9), "an unnamed service"),
    ("unpriced_traffic", unpriced(10), unpriced(9), "acme/unheard-of"),
]


def test_every_shipped_rule_has_its_cases() -> None:
    tested = {name for name, *_ in (*ARRIVALS, *WINDOWS)} | {"silent_run", "ingest_lag", "refused_spans"}
    assert tested == {rule.name for rule in shipped_rules()}


@pytest.mark.parametrize(("rule", "firing", "nearly", "subject"), ARRIVALS, ids=[case[0] for case in ARRIVALS])
def test_a_rule_about_spans(
    rule: str, firing: list[Words], nearly: list[Words], subject: str, sandbox: Sandbox
) -> None:
    live = Live(sandbox)
    live.spans(
        at(60), *({**words, "trace": words.get("trace", 1) + 1000, "id": words["id"] + 1000} for words in nearly)
    )
    assert live.fired(rule) == []
    live.spans(at(61), *firing)
    assert [row[:2] for row in live.fired(rule)] == [(subject, "firing")]


@pytest.mark.parametrize("case", WINDOWS, ids=[case[0] for case in WINDOWS])
@pytest.mark.parametrize("fires", [True, False])
def test_a_rule_about_a_window(case: tuple[str, list[Words], list[Words], str], fires: bool, sandbox: Sandbox) -> None:
    rule, firing, nearly, subject = case
    live = Live(sandbox)
    live.spans(at(50), *(firing if fires else nearly))
    live.until(at(450))
    assert [row[:2] for row in live.fired(rule)] == ([(subject, "firing")] if fires else [])


@pytest.mark.parametrize(("lag_s", "fires"), [(61, True), (59, False)])
def test_spans_that_come_late_are_told(lag_s: float, fires: bool, sandbox: Sandbox) -> None:
    live = Live(sandbox)
    for minute in range(5):
        spans = [{"id": 20 * minute + n, "trace": 20 * minute + n, "at_ms": minute * 60_000} for n in range(1, 13)]
        live.spans(at(minute * 60 + 0.1 + lag_s), *spans)
    live.until(at(400))
    assert [row[1] for row in live.fired("ingest_lag")] == (["firing"] if fires else [])


def test_refused_spans_are_told(sandbox: Sandbox) -> None:
    live = Live(sandbox)
    live.until(at(120))
    assert live.fired("refused_spans") == []
    told = {"signal": "traces", "reason": "Too large.", "count": 3, "last_at_ns": otlp.NOON_NS + 130 * 10**9}
    sandbox.ingest._write(Batch(refusals=[told]), None)
    live.until(at(200))
    assert live.fired("refused_spans") == [
        ("traces were refused: Too large.", "firing", "3 items of traces were refused: Too large.")
    ]


def open_event(number: int, at_s: float, name: str, parent: int = 0, **attributes: Any) -> Words:
    about = {"spandeck.span.name": name} | attributes
    if parent:
        about["spandeck.span.parent_id"] = otlp.span_id(parent)
    return {"event": "spandeck.span.open", "trace": 1, "id": number, "at_ms": at_s * 1000, "attributes": about}


def opened(live: Live, when: float, *events: Words) -> None:
    live.receive(at(when), (Signal.LOGS, otlp.logs(events)))


def hung_run(live: Live, **attributes: Any) -> None:
    opened(live, 2, open_event(1, 1, "invoke_agent desk"), open_event(2, 1, "work", 1, **attributes))


def test_a_hung_tool_is_reported_within_its_limit(sandbox: Sandbox) -> None:
    """Usually it takes 20 s: after 60 s without progress, at the next judgement, it is reported, not before."""
    live = Live(sandbox)
    known = [tool(100 + n, trace=2, at_ms=-60_000, ms=20_000) for n in range(6)]
    live.spans(at(1), *known)
    hung_run(live, **TOOL)
    live.until(at(60 + 14))
    assert live.fired("silent_run") == []
    live.until(at(60 + 15 + 16))
    ((subject, state, _),) = live.fired("silent_run")
    assert (subject, state) == ("work of run 00000000", "firing")
    live.spans(at(95), tool(2, trace=1, at_ms=1_000, ms=93_000, parent=1), {"id": 1, "at_ms": 1_000, "ms": 93_500})
    live.until(at(300))
    assert [row[1] for row in live.fired("silent_run")] == ["resolved"]


def test_a_slow_streaming_run_is_no_silent_one(sandbox: Sandbox) -> None:
    live = Live(sandbox)
    hung_run(live, **CHAT, **{"gen_ai.request.stream": True})
    live.until(at(500))
    assert live.fired("silent_run") == []


def test_a_run_that_goes_on_is_no_silent_one(sandbox: Sandbox) -> None:
    """Every step shorter than its limit, the run as a whole much longer."""
    live = Live(sandbox)
    hung_run(live)
    for number in range(1, 8):
        live.until(at(number * 50))
        live.spans(at(number * 50 + 1), tool(100 + number, at_ms=number * 50_000, parent=1))
    assert live.fired("silent_run") == []


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.name)
def test_a_shipped_rule_reads_what_any_user_may_read(rule: Any, sandbox: Sandbox) -> None:
    make: Callable[[Any], str] = sightings_query if rule.key else lambda each: readings_query(each, has_volume=False)
    for sql in (bound_query(rule), make(rule)):
        check(sandbox.connection, sql)
