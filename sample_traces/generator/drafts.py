"""What a dialect says about a span before anyone knows when it happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from generator.catalogue import Failure, Model
from generator.otlp import Event, Scope, SpanKind, StatusCode, Value


@dataclass(frozen=True)
class Draft:
    """A span without ids and times."""

    scope: Scope
    name: str
    kind: SpanKind = SpanKind.INTERNAL
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Conversation:
    """Whose request a trace answers, and which pattern of coordination its service declares."""

    session_id: str
    user_id: str
    architecture: str


@dataclass(frozen=True)
class Exchange:
    """The content of a chat call, in one sentence each."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class ChatCall:
    """A chat call that was answered; input_tokens include cached ones, output_tokens include reasoning."""

    model: Model
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    streamed: bool
    first_token_ms: float
    response_id: str
    wants_tool: bool
    exchange: Exchange | None


class Dialect(Protocol):
    """A family of instrumentations: which scopes, names and attributes it writes for which step."""

    success: StatusCode
    """The status of a span that went well: UNSET in some families, OK in others."""

    def conversation(self, conversation: Conversation) -> dict[str, Value]:
        """Attributes of the root span."""
        ...

    def workflow(self, name: str) -> Draft:
        """A run without a leading agent."""
        ...

    def agent(self, name: str) -> Draft:
        """One invocation of an agent."""
        ...

    def tool(self, name: str, arguments: str | None) -> Draft:
        """One tool call; arguments are a JSON object or None."""
        ...

    def handoff(self, source: str, target: str) -> Draft:
        """An agent passes the work, or a message, on to a peer."""
        ...

    def chat(self, call: ChatCall) -> Draft:
        """An answered chat call."""
        ...

    def chat_events(self, call: ChatCall, start_ns: int) -> list[Event]:
        """Events of an answered chat call that started at start_ns."""
        ...

    def refused_chat(self, model: Model) -> Draft:
        """A chat call that the provider did not answer: no usage is known."""
        ...

    def embedding(self, input_tokens: int) -> Draft:
        """One embedding call."""
        ...

    def retrieval(self, source: str, document_ids: list[str]) -> Draft:
        """One search in a vector store."""
        ...

    def memory(self, operation: str, store: str) -> Draft:
        """One memory operation, named as in gen_ai.operation.name."""
        ...

    def failure(self, failure: Failure) -> dict[str, Value]:
        """Attributes that a failed span has beside its status and its exception event."""
        ...
