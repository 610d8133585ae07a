"""The kinds of calls inside a request: of a model, of a tool, and of the agent's memory."""

from typing import Literal

from opentelemetry.trace import SpanKind

from spandeck import attributes
from spandeck.model_scope import ModelScope
from spandeck.origin import Origin
from spandeck.scope import Scope
from spandeck_schema import semantic_conventions as names

MemoryTier = Literal["short_term", "long_term", "episodic"]
MemoryOperation = Literal["search_memory", "create_memory", "update_memory", "delete_memory"]


class LlmCall(ModelScope):
    """One call of a model: the span `chat {model}` of kind CLIENT (OTel GenAI, "inference").

    One attempt is one call: a retry is a call of its own, so that latency and cost stay true.
    """

    def __init__(
        self,
        origin: Origin,
        model: str | None,
        provider: str | None,
        stream: bool | None,
        *,
        operation: str = names.OPERATION_CHAT,
        attempt: int | None = None,
    ) -> None:
        """`model` and `provider` default to those of the request; `operation` is a gen_ai.operation.name."""
        model = model or origin.details.model
        known: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: operation,
            names.GEN_AI_REQUEST_MODEL: model,
            names.GEN_AI_PROVIDER_NAME: provider or origin.details.provider,
            names.GEN_AI_REQUEST_STREAM: stream,
            names.SPANDECK_ATTEMPT: attempt,
        }
        name = f"{operation} {model}" if model else operation
        super().__init__(origin, name, SpanKind.CLIENT, known | origin.details.identity())
        self._model, self._provider = model, provider or origin.details.provider


class ToolCall(Scope):
    """One call of a tool: the span `execute_tool {name}` (OTel GenAI, "execute tool").

    It succeeds unless `fail()` was called last or an exception leaves the block.
    """

    def __init__(
        self,
        origin: Origin,
        name: str,
        call_id: str | None,
        *,
        attempt: int | None = None,
        arguments_hash: str | None = None,
        started_ns: int | None = None,
    ) -> None:
        """`call_id` is the model's id of the call; `started_ns` is Unix nanoseconds, by default now."""
        known: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: names.OPERATION_EXECUTE_TOOL,
            names.GEN_AI_TOOL_NAME: name,
            names.GEN_AI_TOOL_CALL_ID: call_id,
            names.SPANDECK_ATTEMPT: attempt,
            names.SPANDECK_TOOL_ARGUMENTS_HASH: arguments_hash,
        }
        super().__init__(
            origin,
            f"{names.OPERATION_EXECUTE_TOOL} {name}",
            SpanKind.INTERNAL,
            known | origin.details.identity(),
            started_ns=started_ns,
        )
        self._name = name

    def ok(self) -> None:
        """The tool did what it was asked."""
        self._succeed()

    def fail(self, error_type: str | None = None, message: str | None = None) -> None:
        """The tool failed without raising: `error_type` is a low-cardinality word such as `not_found`."""
        self._fail(error_type, message)

    def _before_end(self) -> None:
        if self._failure is not None:
            message = f"Tool call failed: {self._name} in request {self._origin.tally.request_id}"
            self._alert(names.ALERT_FAILED_TOOL_CALL, "error", message, 1.0, 0.0)


class MemoryCall(Scope):
    """One access to an agent's memory: the span `{operation} {tier}`, whose length is the latency of the tier."""

    def __init__(self, origin: Origin, tier: MemoryTier, operation: str) -> None:
        known: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: operation,
            names.SPANDECK_MEMORY_TIER: tier,
        }
        super().__init__(origin, f"{operation} {tier}", SpanKind.INTERNAL, known | origin.details.identity())

    def hits(self, count: int) -> None:
        """How many entries were found."""
        self._set({names.SPANDECK_MEMORY_HIT_COUNT: attributes.count(count)})
