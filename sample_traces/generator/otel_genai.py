"""The OpenTelemetry GenAI dialect: spandeck's own spans around those of OTel's instrumentations."""

from __future__ import annotations

import json

from generator import catalogue
from generator.catalogue import Failure, Model
from generator.drafts import ChatCall, Conversation, Draft
from generator.otlp import Event, Scope, SpanKind, StatusCode, Value

_SPANDECK = Scope("spandeck", "0.1.0")
_OPENAI = Scope("opentelemetry.instrumentation.genai.openai", "1.3b0")
_SCOPE_BY_PROVIDER = {
    "anthropic": Scope("opentelemetry.instrumentation.genai.anthropic", "1.3b0"),
    "openai": _OPENAI,
}


class OpenTelemetryDialect:
    """Names of the OpenTelemetry GenAI conventions; success leaves the status unset."""

    success = StatusCode.UNSET

    def conversation(self, conversation: Conversation) -> dict[str, Value]:
        """Attributes of the root span."""
        return {
            "gen_ai.conversation.id": conversation.session_id,
            "user.id": conversation.user_id,
            "spandeck.architecture": conversation.architecture,
        }

    def workflow(self, name: str) -> Draft:
        """`invoke_workflow NAME`."""
        return _draft("invoke_workflow", name, {"gen_ai.workflow.name": name})

    def agent(self, name: str) -> Draft:
        """`invoke_agent NAME`."""
        return _draft("invoke_agent", name, {"gen_ai.agent.name": name})

    def tool(self, name: str, arguments: str | None) -> Draft:
        """`execute_tool NAME`."""
        return _draft(
            "execute_tool",
            name,
            {
                "gen_ai.tool.name": name,
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.arguments": arguments,
            },
        )

    def handoff(self, source: str, target: str) -> Draft:
        """`handoff TARGET`, with both ends as attributes."""
        return _draft("handoff", target, {"gen_ai.handoff.from_agent": source, "gen_ai.handoff.to_agent": target})

    def chat(self, call: ChatCall) -> Draft:
        """`chat MODEL` with usage; time to first chunk in seconds when streamed."""
        attributes = _request(call.model) | {
            "gen_ai.response.model": call.model.response_name,
            "gen_ai.response.id": call.response_id,
            "gen_ai.response.finish_reasons": ["tool_calls" if call.wants_tool else "stop"],
            "gen_ai.usage.input_tokens": call.input_tokens,
            "gen_ai.usage.output_tokens": call.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": call.cache_read_tokens,
            "gen_ai.usage.cache_write.input_tokens": call.cache_write_tokens,
            "gen_ai.usage.reasoning.output_tokens": call.reasoning_tokens,
        }
        if call.streamed:
            attributes["gen_ai.request.stream"] = True
            attributes["gen_ai.response.time_to_first_chunk"] = round(call.first_token_ms / 1000, 4)
        if call.exchange:
            attributes["gen_ai.input.messages"] = _messages("user", call.exchange.prompt)
            attributes["gen_ai.output.messages"] = _messages("assistant", call.exchange.answer)
        return Draft(_scope(call.model), f"chat {call.model.request_name}", SpanKind.CLIENT, attributes)

    def chat_events(self, call: ChatCall, start_ns: int) -> list[Event]:
        """None: the first token is an attribute here."""
        return []

    def refused_chat(self, model: Model) -> Draft:
        """`chat MODEL` with the request alone."""
        return Draft(_scope(model), f"chat {model.request_name}", SpanKind.CLIENT, _request(model))

    def embedding(self, input_tokens: int) -> Draft:
        """`embeddings MODEL`."""
        return Draft(
            _OPENAI,
            f"embeddings {catalogue.EMBEDDING_MODEL}",
            SpanKind.CLIENT,
            {
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": catalogue.EMBEDDING_PROVIDER,
                "gen_ai.request.model": catalogue.EMBEDDING_MODEL,
                "gen_ai.usage.input_tokens": input_tokens,
            },
        )

    def retrieval(self, source: str, document_ids: list[str]) -> Draft:
        """`retrieval SOURCE`."""
        return _draft(
            "retrieval",
            source,
            {"gen_ai.data_source.id": source, "gen_ai.retrieval.top_k": len(document_ids)},
        )

    def memory(self, operation: str, store: str) -> Draft:
        """`search_memory STORE` and the like."""
        return _draft(operation, store, {"gen_ai.memory.store.name": store})

    def failure(self, failure: Failure) -> dict[str, Value]:
        """`error.type`."""
        return {"error.type": failure.type_name}


def _draft(operation: str, subject: str, attributes: dict[str, Value]) -> Draft:
    return Draft(_SPANDECK, f"{operation} {subject}", attributes={"gen_ai.operation.name": operation} | attributes)


def _scope(model: Model) -> Scope:
    return _SCOPE_BY_PROVIDER.get(model.provider, _SPANDECK)


def _request(model: Model) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": model.provider,
        "gen_ai.request.model": model.request_name,
    }


def _messages(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)
