"""Every finding of the doctor: found where it is, with its figures and the line that mends it, and nowhere else."""

from typing import Any

import pytest

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme", "gen_ai.request.model": "acme-1"}
USAGE = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
STREAM = {"gen_ai.request.stream": True}
FIRST_TOKEN = {"gen_ai.response.time_to_first_chunk": 0.05}


def call(number: int = 1, **words: Any) -> otlp.Words:
    """A model call in order, in a trace of its own; `attributes` are added, one that is None is left out."""
    attributes = CHAT | USAGE | words.pop("attributes", {})
    told = {name: value for name, value in attributes.items() if value is not None}
    return {"trace": number, "id": number, "service": "shop", "scope": "acme.llm", "attributes": told, **words}


def without_usage(**attributes: Any) -> dict[str, Any]:
    return dict.fromkeys(USAGE) | attributes


def the_finding(sandbox: Sandbox) -> dict[str, Any]:
    """The only finding; its ids are those of a stored span, its ratio and message fit its counts."""
    finding = sandbox.row("from doctor_findings")
    example = [finding["example_trace_id"], finding["example_span_id"]]
    assert sandbox.rows("select 1 from spans where trace_id = ? and span_id = ?", example)
    assert finding["affected_ratio"] == finding["affected_count"] / finding["total_count"]
    return finding


def counts(finding: dict[str, Any]) -> tuple[int, int]:
    return finding["affected_count"], finding["total_count"]


def let_minutes_pass(sandbox: Sandbox, minutes: int) -> None:
    """What comes next comes so much later, and something comes."""
    sandbox.batch_count += 60 * minutes
    sandbox.spans(call(999, service="clock"))


def test_a_clean_stream_has_no_finding(sandbox: Sandbox) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "crew"}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    sandbox.spans(
        call(1, attributes=agent | dict.fromkeys(USAGE), ms=900),
        call(1, id=2, parent=1, attributes=STREAM | FIRST_TOKEN | {"llm.cost.total": 0.0045}),
        call(1, id=3, parent=1, attributes=tool | dict.fromkeys(USAGE)),
        call(1, id=4, parent=1, status="ERROR", attributes=dict.fromkeys(USAGE)),
        {"trace": 1, "id": 5, "parent": 3, "service": "shop", "name": "GET", "attributes": {"http.method": "GET"}},
    )
    let_minutes_pass(sandbox, 10)
    assert sandbox.rows("from doctor_findings") == []


def test_an_empty_store_has_no_finding(sandbox: Sandbox) -> None:
    assert sandbox.rows("from doctor_findings") == []


def test_calls_that_succeed_without_tokens_are_an_error(sandbox: Sandbox) -> None:
    sandbox.spans(call(1), call(2, attributes=without_usage()), call(3, status="ERROR", attributes=without_usage()))
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"], finding["service"]) == ("no_usage", "error", "shop")
    assert counts(finding) == (1, 2)
    assert finding["detail"] == "acme.llm"
    assert finding["message"] == ("1 of 2 successful model calls of acme.llm tell no tokens: their cost is unknown.")
    assert "gen_ai.usage.input_tokens" in finding["fix"]


def test_a_stream_without_tokens_needs_the_option_of_its_client(sandbox: Sandbox) -> None:
    scope = "openinference.instrumentation.openai"
    sandbox.spans(call(scope=scope, attributes=without_usage(**STREAM, **FIRST_TOKEN)))
    finding = the_finding(sandbox)
    assert finding["finding"] == "no_usage"
    assert 'stream_options={"include_usage": True}' in finding["fix"]


def test_what_concerns_few_calls_is_less_grave(sandbox: Sandbox) -> None:
    sandbox.spans(call(100, attributes=without_usage()), *(call(number) for number in range(1, 30)))
    assert the_finding(sandbox)["severity"] == "warning"


def test_a_model_without_a_price_is_named_with_its_tokens(sandbox: Sandbox) -> None:
    unknown = {"gen_ai.request.model": "unheard-of"}
    sandbox.spans(call(1), call(2, attributes=unknown), call(3, attributes=unknown))
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("unpriced_model", "error")
    assert counts(finding) == (2, 2)
    assert finding["detail"] == "acme/unheard-of"
    assert "2,200 tokens are missing" in finding["message"]
    assert "acme/unheard-of" in finding["fix"]


def test_a_priced_call_without_a_count_of_output_lacks_usage_not_a_price(sandbox: Sandbox) -> None:
    sandbox.spans(call(1), call(2, attributes={"gen_ai.usage.output_tokens": None}))
    finding = the_finding(sandbox)
    assert (finding["finding"], counts(finding)) == ("no_usage", (1, 2))
    assert finding["message"] == (
        "1 of 2 successful model calls of acme.llm tell not all of their tokens: their cost is unknown."
    )


def test_a_model_without_a_price_is_named_also_where_a_count_is_missing(sandbox: Sandbox) -> None:
    told = {"gen_ai.request.model": "unheard-of", "gen_ai.usage.output_tokens": None}
    sandbox.spans(call(1, attributes=told))
    findings = {row["finding"] for row in sandbox.rows("from doctor_findings")}
    assert findings == {"no_usage", "unpriced_model"}


def test_only_streams_have_to_tell_their_first_token(sandbox: Sandbox) -> None:
    sandbox.spans(call(1), call(2, attributes=STREAM), call(3, attributes=STREAM | FIRST_TOKEN))
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("no_time_to_first_token", "warning")
    assert counts(finding) == (1, 2)
    assert "time_to_first_chunk" in finding["fix"]


def test_two_instrumentations_of_one_call_are_named_and_one_is_switched_off(sandbox: Sandbox) -> None:
    native, other = "com.anthropic.sdk.python", "openinference.instrumentation.anthropic"
    sandbox.spans(
        call(1, scope=other, ms=100, attributes={"gen_ai.response.id": "r-1"}),
        call(1, id=2, parent=1, scope=native, ms=90, attributes={"gen_ai.response.id": "r-1"}),
    )
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("double_instrumentation", "warning")
    assert counts(finding) == (1, 2)
    assert finding["detail"] == f"{native} and {other}"
    assert finding["fix"] == "export ANTHROPIC_OPEN_TELEMETRY=false"


def test_of_two_instrumentations_the_less_trusted_one_goes(sandbox: Sandbox) -> None:
    genai, other = "opentelemetry.instrumentation.genai.openai", "openinference.instrumentation.openai"
    sandbox.spans(call(1, scope=other), call(1, id=2, parent=1, scope=genai))
    assert "instrument() call of openinference.instrumentation.openai" in the_finding(sandbox)["fix"]


def test_parents_that_never_came_are_missed_once_their_trace_is_quiet(sandbox: Sandbox) -> None:
    sandbox.spans(call(1, id=2, parent=1), call(2))
    assert sandbox.rows("from doctor_findings") == []
    let_minutes_pass(sandbox, 10)
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("orphan_spans", "warning")
    assert counts(finding) == (1, 2)
    sandbox.spans(call(1, id=1))
    assert sandbox.rows("from doctor_findings") == []


@pytest.mark.parametrize(
    "child",
    [
        {"at_ms": -1001},
        {"at_ms": 1200},
        {"at_ms": 20 * 60 * 1000},
    ],
)
def test_times_that_cannot_be_are_a_skewed_clock(sandbox: Sandbox, child: otlp.Words) -> None:
    sandbox.spans(call(1), call(1, id=2, parent=1, **child))
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("clock_skew", "warning")
    assert counts(finding) == (1, 2)


def test_a_child_a_little_outside_its_parent_is_no_skewed_clock(sandbox: Sandbox) -> None:
    later = call(1, id=3, parent=1, kind="CONSUMER", at_ms=5000)
    sandbox.spans(call(1), call(1, id=2, parent=1, at_ms=-900, ms=3000), later)
    assert sandbox.rows("from doctor_findings") == []


def test_what_an_emitter_dropped_is_told(sandbox: Sandbox) -> None:
    sandbox.spans(call(1, dropped=3), call(2))
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("truncated", "warning")
    assert counts(finding) == (1, 2)
    assert "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in finding["fix"]
    assert sandbox.row("select flags from spans where list_contains(flags, 'truncated')") == {"flags": ["truncated"]}


def test_spans_that_look_like_model_calls_but_are_not_understood_are_named(sandbox: Sandbox) -> None:
    strange = {"homegrown.model": "m", "homegrown.prompt_tokens": 12}
    plain = {"http.method": "POST", "server.address": "host"}
    sandbox.spans(
        {"id": 1, "service": "shop", "scope": "homegrown", "name": "ask", "attributes": strange},
        {"id": 2, "parent": 1, "service": "shop", "scope": "homegrown", "name": "POST", "attributes": plain},
        {"id": 3, "parent": 1, "service": "shop", "scope": "web", "name": "POST", "attributes": plain},
    )
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("unknown_dialect", "error")
    assert counts(finding) == (1, 2)
    assert finding["message"].endswith("are not understood: homegrown.model, homegrown.prompt_tokens.")


def test_a_cost_that_differs_by_more_than_a_twentieth_is_shown_with_both_sums(sandbox: Sandbox) -> None:
    sandbox.spans(call(1, attributes={"llm.cost.total": 0.009}), call(2, attributes={"llm.cost.total": 0.0045}))
    finding = the_finding(sandbox)
    assert (finding["finding"], finding["severity"]) == ("cost_differs", "warning")
    assert counts(finding) == (1, 2)
    assert finding["message"] == ("acme.llm says $0.0135 for 2 calls of acme/acme-1, the price table $0.0090: +50 %.")


def test_a_cost_of_a_call_that_the_price_table_has_for_nothing_is_shown_without_a_share(sandbox: Sandbox) -> None:
    nothing = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0, "llm.cost.total": 0.5}
    sandbox.spans(call(1, attributes=nothing))
    message = "acme.llm says $0.5000 for 1 calls of acme/acme-1, the price table $0.0000."
    assert the_finding(sandbox)["message"] == message


def test_findings_go_a_day_after_they_were_mended(sandbox: Sandbox) -> None:
    sandbox.spans(call(1, attributes=without_usage()))
    let_minutes_pass(sandbox, 25 * 60)
    assert sandbox.rows("from doctor_findings") == []


def test_services_without_a_name_have_findings_too(sandbox: Sandbox) -> None:
    sandbox.spans({"id": 1, "attributes": CHAT})
    finding = the_finding(sandbox)
    assert (finding["service"], finding["detail"], counts(finding)) == (None, None, (1, 1))


def test_every_kind_of_finding_has_a_line_for_any_scope(sandbox: Sandbox) -> None:
    rows = sandbox.rows("select distinct fix_key from store.doctor_fixes() where scope_pattern = '*'")
    assert {row["fix_key"] for row in rows} == {
        "no_usage",
        "no_usage_of_stream",
        "unpriced_model",
        "unmatched_price_context",
        "no_time_to_first_token",
        "double_instrumentation",
        "orphan_spans",
        "clock_skew",
        "truncated",
        "unknown_dialect",
        "cost_differs",
    }
