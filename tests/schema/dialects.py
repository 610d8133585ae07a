"""One model call, agent or tool as the instrumentations in use tell it: attributes and scope by dialect."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """What truly happened; `told` leaves out what an instrumentation does not tell."""

    number: int
    model: str
    input_tokens: int
    output_tokens: int
    response_id: str
    at_ms: int
    ms: int


SCOPES = {
    "otel": "opentelemetry.instrumentation.openai_v2",
    "openinference": "openinference.instrumentation.openai",
    "traceloop": "opentelemetry.instrumentation.openai.v1",
    "vercel": "ai",
    "langfuse": "langfuse-sdk",
    "mlflow": "mlflow.tracing.provider",
}
DIALECTS = sorted(SCOPES)
WITH_RESPONSE_ID = ["otel", "traceloop", "vercel"]

_CALLS: dict[str, tuple[Attributes, str]] = {
    "otel": ({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme"}, "gen_ai.request.model"),
    "openinference": ({"openinference.span.kind": "LLM", "llm.provider": "acme"}, "llm.model_name"),
    "traceloop": ({"gen_ai.operation.name": "chat", "gen_ai.system": "acme"}, "gen_ai.request.model"),
    "vercel": ({"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "acme.chat"}, "ai.model.id"),
    "langfuse": ({"langfuse.observation.type": "generation"}, "langfuse.observation.model.name"),
    "mlflow": ({"mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.provider": '"acme"'}, "mlflow.llm.model"),
}
_AGENTS: dict[str, Attributes] = {
    "otel": {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "otel-agent"},
    "openinference": {"openinference.span.kind": "AGENT", "agent.name": "oi-agent"},
    "traceloop": {"traceloop.span.kind": "agent", "gen_ai.agent.name": "traceloop-agent"},
    "vercel": {"ai.operationId": "ai.generateText"},
    "langfuse": {"langfuse.observation.type": "agent"},
    "mlflow": {"mlflow.spanType": '"AGENT"'},
}
_TOOLS: dict[str, tuple[Attributes, str]] = {
    "otel": ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}, "gen_ai.tool.call.id"),
    "openinference": ({"openinference.span.kind": "TOOL", "tool.name": "search"}, "tool_call.id"),
    "vercel": ({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "search"}, "ai.toolCall.id"),
}
TOOL_DIALECTS = sorted(_TOOLS)


def _genai(input_tokens: int, output_tokens: int) -> Attributes:
    return {"gen_ai.usage.input_tokens": input_tokens, "gen_ai.usage.output_tokens": output_tokens}


def _twice_json(input_tokens: int, output_tokens: int) -> Attributes:
    usage = {"input_tokens": input_tokens, "output_tokens": output_tokens, "total_tokens": input_tokens + output_tokens}
    return {"mlflow.chat.tokenUsage": json.dumps(json.dumps(usage)) if input_tokens % 2 else json.dumps(usage)}


_USAGE: dict[str, Callable[[int, int], Attributes]] = {
    "otel": _genai,
    "openinference": lambda i, o: {"llm.token_count.prompt": i, "llm.token_count.completion": o},
    "traceloop": lambda i, o: {"gen_ai.usage.prompt_tokens": i, "gen_ai.usage.completion_tokens": o},
    "vercel": lambda i, o: {"ai.usage.inputTokens": i, "ai.usage.outputTokens": o},
    "langfuse": lambda i, o: {"langfuse.observation.usage_details": json.dumps({"input": i, "output": o})},
    "mlflow": _twice_json,
}
_RESPONSE_IDS = {"otel": "gen_ai.response.id", "traceloop": "gen_ai.response.id", "vercel": "ai.response.id"}


def told(call: Call, dialect: str, *, with_usage: bool = True, with_id: bool = True) -> dict[str, Any]:
    """The call's scope, times and attributes as words of a span."""
    fixed, model = _CALLS[dialect]
    attributes = fixed | {model: json.dumps(call.model) if dialect == "mlflow" else call.model}
    if with_usage:
        attributes |= _USAGE[dialect](call.input_tokens, call.output_tokens)
    if with_id and dialect in _RESPONSE_IDS:
        attributes[_RESPONSE_IDS[dialect]] = call.response_id
    return {"scope": SCOPES[dialect], "at_ms": call.at_ms, "ms": call.ms, "name": "call", "attributes": attributes}


def agent(dialect: str, usage: tuple[int, int] | None) -> dict[str, Any]:
    """An agent that may repeat the usage of what is below it."""
    attributes = _AGENTS[dialect] | (_USAGE[dialect](*usage) if usage else {})
    return {"scope": SCOPES[dialect], "name": "invoke_agent", "attributes": attributes}


def tool(dialect: str, call_id: str | None) -> dict[str, Any]:
    """A tool call, with the id under which the model asked for it."""
    fixed, name = _TOOLS[dialect]
    return {"scope": SCOPES[dialect], "name": "tool", "attributes": fixed | ({name: call_id} if call_id else {})}
