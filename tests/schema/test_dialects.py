"""One span as an emitter writes it, and what it means: what versions and languages write that no capture holds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .sandbox import Sandbox

pytestmark = pytest.mark.integration

Words = dict[str, Any]
CLAUDE_CODE = "com.anthropic.claude_code.tracing"


def usage(**counts: Any) -> Words:
    """A Langfuse generation with these counts."""
    return {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": json.dumps(counts)}


def chat(**facts: Any) -> Words:
    """A call in the names of OpenTelemetry; an underscore twice stands for a dot."""
    told = {f"gen_ai.{name.replace('__', '.')}": value for name, value in facts.items()}
    return {"gen_ai.operation.name": "chat", "gen_ai.request.model": "acme-1"} | told


BUCKETS = {"input": 60, "input_cached_tokens": 40, "output": 15, "output_reasoning_tokens": 5, "total": 120}
PYTHON_USAGE = (
    "{'completion_tokens': 20, 'prompt_tokens': 100, 'completion_tokens_details': {'reasoning_tokens': 5, "
    "'audio_tokens': None}, 'prompt_tokens_details': {'cached_tokens': 40, 'text': True}}"
)
MLFLOW_USAGE = {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 40, "total_tokens": 120}
TOKENS = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 40}

CASES: list[tuple[str, str, Words, Words]] = [
    (
        "an emitter's word for nothing hides no second source",
        "shop",
        chat(usage__input_tokens="None", usage__prompt_tokens=7) | {"gen_ai.agent.name": "null"},
        {"input_tokens": 7, "usage_source": "gen_ai.usage.prompt_tokens", "agent_name": None},
    ),
    (
        "Langfuse: OpenAI's usage includes cached tokens",
        "langfuse-sdk",
        usage(
            prompt_tokens=100,
            completion_tokens=20,
            prompt_tokens_details={"cached_tokens": 40},
            completion_tokens_details={"reasoning_tokens": 5},
        ),
        TOKENS | {"kind": "llm", "reasoning_tokens": 5, "usage_basis": "inclusive"},
    ),
    (
        "Langfuse: usage of OpenAI's Responses includes cached tokens",
        "langfuse-sdk",
        usage(input_tokens=100, output_tokens=20, input_tokens_details={"cached_tokens": 40}),
        TOKENS | {"usage_basis": "inclusive"},
    ),
    (
        "Langfuse: Anthropic's usage adds up",
        "langfuse-sdk",
        usage(input_tokens=60, output_tokens=20, cache_read_input_tokens=40),
        TOKENS,
    ),
    ("Langfuse: buckets add up", "langfuse-sdk", usage(**BUCKETS), TOKENS | {"reasoning_tokens": 5}),
    (
        "Langfuse: buckets and a provider's names for the same tokens",
        "langfuse-sdk",
        usage(input=60, input_tokens=60, cache_read_input_tokens=40, output=20, output_tokens=20),
        TOKENS,
    ),
    (
        "Langfuse: a provider's name without a number leaves the buckets",
        "langfuse-sdk",
        usage(input_tokens="?", output_tokens=None, **BUCKETS),
        TOKENS | {"reasoning_tokens": 5},
    ),
    (
        "Langfuse: buckets as JSON in a JSON string",
        "langfuse-sdk",
        {"langfuse.observation.usage_details": json.dumps(json.dumps(BUCKETS))},
        TOKENS | {"reasoning_tokens": 5},
    ),
    (
        "Langfuse: the first token is a time in quotes",
        "langfuse-sdk",
        usage(prompt_tokens=1) | {"langfuse.observation.completion_start_time": '"2026-05-04T12:00:00.050000Z"'},
        {"time_to_first_token_ms": 50, "streamed": True},
    ),
    (
        "Langfuse: a level is a failure",
        "langfuse-sdk",
        {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": '"too long"'},
        {"status": "error", "error_type": "_OTHER", "error_message": "too long"},
    ),
    (
        "MLflow: JSON strings of strings",
        "mlflow.tracing.provider",
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.llm.provider": '"gemini"',
            "mlflow.llm.model": '"gemini-3"',
            "mlflow.chat.tokenUsage": json.dumps(json.dumps(MLFLOW_USAGE)),
            "mlflow.trace.session": '"s-1"',
            "mlflow.llm.cost": '{"total_cost": 0.5}',
        },
        TOKENS | {"kind": "llm", "provider": "gcp.gemini", "response_model": "gemini-3", "session_id": "s-1"},
    ),
    (
        "LiteLLM v1: Python's notation, finish reasons as JSON in a text, booleans as words",
        "litellm",
        {
            "gen_ai.operation.name": "acompletion",
            "gen_ai.system": "openai",
            "gen_ai.usage.prompt_tokens": "100",
            "gen_ai.usage.completion_tokens": 20.0,
            "gen_ai.response.finish_reasons": '["tool_calls"]',
            "metadata.usage_object": PYTHON_USAGE,
            "llm.is_streaming": "False",
            "gen_ai.cost.total_cost": 0.25,
        },
        TOKENS
        | {"kind": "llm", "provider": "openai", "finish_reasons": ["tool_calls"], "streamed": False}
        | {"reasoning_tokens": 5, "reported_cost_usd": 0.25},
    ),
    (
        "LangSmith: details in Python's notation",
        "langsmith",
        chat(usage__input_tokens=100, usage__output_tokens=20)
        | {"gen_ai.usage.input_token_details": "{'cache_read': 40, 'cache_creation': 10}"}
        | {"langsmith.span.kind": "llm", "langsmith.metadata.thread_id": "s-1"},
        TOKENS | {"cache_write_tokens": 10, "session_id": "s-1", "kind": "llm"},
    ),
    (
        "Claude Code: its own input leaves cached tokens out",
        CLAUDE_CODE,
        {"span.type": "llm_request", "model": "claude-x", "input_tokens": 3, "output_tokens": 7}
        | {"cache_read_tokens": 2000, "cache_creation_tokens": 10, "ttft_ms": 80},
        {"kind": "llm", "request_model": "claude-x", "input_tokens": 2013, "usage_basis": "added"}
        | {"usage_source": "input_tokens", "time_to_first_token_ms": 80, "streamed": True},
    ),
    (
        "Claude Code: the standard input on the same span has them",
        CLAUDE_CODE,
        {"span.type": "llm_request", "input_tokens": 3000, "cache_read_tokens": 2000}
        | {"gen_ai.usage.input_tokens": 5000, "gen_ai.usage.output_tokens": 7},
        {"input_tokens": 5000, "cache_read_tokens": 2000, "usage_basis": "inclusive"}
        | {"usage_source": "gen_ai.usage.input_tokens"},
    ),
    (
        "Vercel v4: prompt tokens",
        "ai",
        {
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.provider": "openai.chat",
            "ai.model.id": "gpt-4o",
            "ai.usage.promptTokens": 100,
            "ai.usage.completionTokens": 20,
            "ai.stream.msToFirstChunk": 30.5,
            "ai.response.finishReason": "tool-calls",
        },
        {"kind": "llm", "provider": "openai", "request_model": "gpt-4o", "input_tokens": 100, "output_tokens": 20}
        | {"time_to_first_token_ms": 30.5, "streamed": True, "family": "vercel"},
    ),
    (
        "Vercel v7: the names of OpenTelemetry",
        "gen_ai",
        chat(
            usage__input_tokens=100,
            usage__output_tokens=20,
            usage__cache_read__input_tokens=40,
            client__operation__time_to_first_chunk=0.05,
        ),
        TOKENS | {"time_to_first_token_ms": 50, "usage_basis": "inclusive", "family": "vercel"},
    ),
    (
        "OpenLIT: Anthropic's own count, and seconds",
        "openlit.instrumentation.anthropic",
        chat(usage__input_tokens=60, usage__cache_read__input_tokens=40, server__time_to_first_token=0.05)
        | {"gen_ai.usage.cost": 0.5, "gen_ai.tool.name": "search"},
        {"input_tokens": 100, "usage_basis": "added", "time_to_first_token_ms": 50, "tool_name": None}
        | {"reported_cost_usd": 0.5},
    ),
    (
        "Strands: milliseconds under the same name",
        "strands.telemetry.tracer",
        chat(server__time_to_first_token=50, provider__name="strands-agents", usage__cache_write_input_tokens=10),
        {"time_to_first_token_ms": 50, "provider": None, "cache_write_tokens": 10},
    ),
    (
        "Sentry: cached tokens behind the input",
        "sentry",
        {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.input_tokens.cached": 40},
        {"input_tokens": 100, "cache_read_tokens": 40, "usage_basis": "unknown"},
    ),
    (
        "the oldest name of cache writes, more than the input",
        "opentelemetry.instrumentation.anthropic",
        chat(usage__input_tokens=3, usage__cache_creation_input_tokens=2000),
        {"input_tokens": 2003, "cache_write_tokens": 2000, "usage_basis": "added", "family": "traceloop"},
    ),
    (
        "OpenInference: a kind in lower case, usage as text, the host as provider",
        "openinference.instrumentation.openai",
        {
            "openinference.span.kind": "llm",
            "llm.provider": "azure",
            "llm.invocation_parameters": '{"model": "gpt-4o", "stream": true}',
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.token_count.prompt": "100",
            "llm.token_count.prompt_details.cache_input": "40",
            "session.id": 17,
        },
        {"kind": "llm", "provider": "azure.ai.openai", "request_model": "gpt-4o", "input_tokens": 100}
        | {"response_model": "gpt-4o-2024-08-06", "cache_read_tokens": 40, "session_id": "17", "streamed": True},
    ),
    (
        "empty texts stand for nothing",
        "openinference.instrumentation.agno",
        {"openinference.span.kind": "AGENT", "session.id": "", "user.id": "", "agent.name": "", "agno.team.id": "t"}
        | {"error.type": "", "llm.token_count.prompt": ""},
        {"kind": "agent", "session_id": None, "user_id": None, "agent_id": "t", "status": "ok", "input_tokens": None}
        | {"usage_basis": None},
    ),
    (
        "LlamaIndex: a preparation says it is a call",
        "openinference.instrumentation.llama_index",
        {"openinference.span.kind": "LLM", "name": "FunctionAgent._prepare_chat_with_tools"},
        {"kind": "other"},
    ),
    ("ADK: merged tools are no call", "gcp.vertex.agent", {"gen_ai.tool.name": "(merged tools)"}, {"kind": "other"}),
    (
        "LiteLLM v1: the raw request is no second call",
        "litellm",
        {"name": "raw_gen_ai_request", "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1},
        {"kind": "other"},
    ),
    (
        "an error as text",
        "shop",
        chat(tool__status="ok") | {"error": "connection lost"},
        {"status": "error", "error_type": "_OTHER"},
    ),
    *(
        (f"an error that is none: {word!r}", "shop", chat() | {"error": word}, {"status": "ok", "error_type": None})
        for word in ("False", False, 0, "none", "None", "NULL", " null ")
    ),
    (
        "Haystack: a tool's error",
        "haystack",
        {"haystack.tool.name": "search", "haystack.tool.error": True},
        {"kind": "tool", "tool_name": "search", "status": "error"},
    ),
    (
        "Anthropic's SDK: resends are attempts",
        "com.anthropic.sdk.python",
        chat(usage__cache_write__input_tokens=10, usage__input_tokens=50)
        | {"http.request.resend_count": 2, "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 4},
        {"attempt": 3, "cache_write_tokens": 10, "cache_write_1h_tokens": 4, "family": "anthropic_sdk"},
    ),
]
CASES += [
    (f"an error spelled {spelled}", "shop", chat() | {"error.type": spelled}, {"error_type": "RateLimitError"})
    for spelled in ("openai.RateLimitError", "RateLimitError", "rate_limit_error", "OpenAIRateLimitError")
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Words]]:
    """The stored row of each case, each a trace of its own."""
    sandbox = Sandbox(tmp_path_factory.mktemp("dialects"))
    spans = [
        {"trace": n, "id": 1, "scope": scope, "attributes": attributes, "name": attributes.get("name", "work")}
        for n, (_, scope, attributes, _) in enumerate(CASES, start=1)
    ]
    sandbox.spans(*spans)
    yield sandbox.rows("select * from store.spans order by trace_id")
    sandbox.connection.close()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[name for name, *_ in CASES])
def test_a_span_means(number: int, rows: list[Words]) -> None:
    expected = CASES[number][3]
    assert {column: rows[number][column] for column in expected} == expected


def test_finish_reasons_of_events_count_where_no_attribute_tells(sandbox: Sandbox) -> None:
    event = {"name": "gen_ai.choice", "at_ms": 90, "attributes": {"finish_reason": "end_turn", "message": "hello"}}
    strands = {"scope": "strands.telemetry.tracer", "events": [event]}
    sandbox.spans(
        strands | {"id": 1, "attributes": chat()},
        strands | {"id": 2, "attributes": chat(response__finish_reasons=["max_tokens"])},
    )
    found = sandbox.rows("select finish_reason from llm_calls order by span_id")
    assert found == [{"finish_reason": "stop"}, {"finish_reason": "length"}]


def test_exceptions_name_the_error_and_a_handled_one_is_no_failure(sandbox: Sandbox) -> None:
    event = {"name": "exception", "attributes": {"exception.type": "openai.APIError", "exception.message": "boom"}}
    sandbox.spans(
        {"id": 1, "attributes": chat(), "events": [event], "status": "ERROR"},
        {"id": 2, "attributes": chat(), "events": [event], "status": "OK"},
        {"id": 3, "attributes": chat() | {"http.response.status_code": 503}, "status": "ERROR"},
        {"id": 4, "attributes": chat() | {"http.response.status_code": 200}, "status": "ERROR"},
    )
    found = sandbox.rows("select status, error_type, had_exception from spans order by span_id")
    assert [tuple(row.values()) for row in found] == [
        ("error", "APIError", True),
        ("ok", None, True),
        ("error", "503", False),
        ("error", "_OTHER", False),
    ]
