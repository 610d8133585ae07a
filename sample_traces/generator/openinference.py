"""The OpenInference dialect: LangChain spans around calls that LangChain or the OpenAI SDK made."""

from __future__ import annotations

import json

from generator import catalogue
from generator.catalogue import Failure, Model
from generator.drafts import ChatCall, Conversation, Draft
from generator.otlp import NANOSECONDS_PER_MS, Event, Scope, StatusCode, Value

_LANGCHAIN = Scope("openinference.instrumentation.langchain", "0.1.80")
_OPENAI = Scope("openinference.instrumentation.openai", "0.1.66")
_OPENAI_AGENTS = Scope("openinference.instrumentation.openai_agents", "1.5.0")
_NAME_BY_PROVIDER = {"anthropic": "ChatAnthropic", "gcp.gemini": "ChatGoogleGenerativeAI", "vllm": "VLLM"}
_SYSTEM_BY_PROVIDER = {"gcp.gemini": "google"}


class OpenInferenceDialect:
    """Names of the OpenInference conventions; success sets the status OK."""

    success = StatusCode.OK

    def conversation(self, conversation: Conversation) -> dict[str, Value]:
        """Attributes of the root span."""
        return {
            "session.id": conversation.session_id,
            "user.id": conversation.user_id,
            "spandeck.architecture": conversation.architecture,
        }

    def workflow(self, name: str) -> Draft:
        """A CHAIN."""
        return _draft("CHAIN", name, {})

    def agent(self, name: str) -> Draft:
        """An AGENT."""
        return _draft("AGENT", name, {"agent.name": name})

    def tool(self, name: str, arguments: str | None) -> Draft:
        """A TOOL named as the tool."""
        return _draft("TOOL", name, {"tool.name": name, "input.value": arguments})

    def handoff(self, source: str, target: str) -> Draft:
        """`handoff to TARGET`, as the OpenAI Agents instrumentation names it."""
        return _draft(
            "TOOL",
            f"handoff to {target}",
            {"graph.node.id": target, "graph.node.parent_id": source},
            _OPENAI_AGENTS,
        )

    def chat(self, call: ChatCall) -> Draft:
        """An LLM with the answered model and usage."""
        attributes: dict[str, Value] = {
            "llm.model_name": call.model.response_name,
            "llm.token_count.prompt": call.input_tokens,
            "llm.token_count.completion": call.output_tokens,
            "llm.token_count.total": call.input_tokens + call.output_tokens,
            "llm.token_count.prompt_details.cache_read": call.cache_read_tokens,
            "llm.token_count.prompt_details.cache_write": call.cache_write_tokens,
            "llm.token_count.completion_details.reasoning": call.reasoning_tokens,
            "llm.finish_reason": "tool_calls" if call.wants_tool else "stop",
        }
        if call.exchange:
            attributes["input.value"] = call.exchange.prompt
            attributes["output.value"] = call.exchange.answer
        return _llm(call.model, call.streamed, attributes)

    def chat_events(self, call: ChatCall, start_ns: int) -> list[Event]:
        """The first token of a stream; only the OpenAI instrumentation reports it."""
        if not call.streamed or call.model.provider != "openai":
            return []
        at_ns = start_ns + round(call.first_token_ms * NANOSECONDS_PER_MS)
        return [Event("First Token Stream Event", at_ns)]

    def refused_chat(self, model: Model) -> Draft:
        """An LLM with the request alone."""
        return _llm(model, False, {})

    def embedding(self, input_tokens: int) -> Draft:
        """An EMBEDDING by the OpenAI SDK."""
        return _draft(
            "EMBEDDING",
            "CreateEmbeddings",
            {"embedding.model_name": catalogue.EMBEDDING_MODEL, "llm.token_count.prompt": input_tokens},
            _OPENAI,
        )

    def retrieval(self, source: str, document_ids: list[str]) -> Draft:
        """A RETRIEVER with the ids of what it found."""
        documents: dict[str, Value] = {
            f"retrieval.documents.{rank}.document.id": document for rank, document in enumerate(document_ids)
        }
        return _draft("RETRIEVER", f"{source} retriever", documents)

    def memory(self, operation: str, store: str) -> Draft:
        """A CHAIN: OpenInference has no kind for memory."""
        return _draft("CHAIN", f"{operation} {store}", {})

    def failure(self, failure: Failure) -> dict[str, Value]:
        """Nothing: OpenInference leaves it to the exception event."""
        return {}


def _draft(kind: str, name: str, attributes: dict[str, Value], scope: Scope = _LANGCHAIN) -> Draft:
    return Draft(scope, name, attributes={"openinference.span.kind": kind} | attributes)


def _llm(model: Model, streamed: bool, attributes: dict[str, Value]) -> Draft:
    system = _SYSTEM_BY_PROVIDER.get(model.provider, model.provider)
    parameters = {"model": model.request_name} | ({"stream": True} if streamed else {})
    request: dict[str, Value] = {"llm.system": system, "llm.invocation_parameters": json.dumps(parameters)}
    if model.provider == "openai":
        return _draft("LLM", "ChatCompletion", request | attributes, _OPENAI)
    return _draft("LLM", _NAME_BY_PROVIDER[model.provider], request | attributes)
