"""The two kinds of work inside a request: a call of a model, and a call of a tool."""

from opentelemetry.trace import SpanKind

from spandeck.model_scope import ModelScope
from spandeck.scope import Origin, Scope
from spandeck_schema import semantic_conventions as names


class LlmCall(ModelScope):
    """One call of a model: the span `chat {model}` of kind CLIENT (OTel GenAI, "inference").

    One attempt is one call: a retry is a call of its own, so that latency and cost stay true.
    """

    def __init__(
        self, origin: Origin, model: str | None, provider: str | None, operation: str, stream: bool | None
    ) -> None:
        """`model` and `provider` default to those of the request; `operation` is a gen_ai.operation.name."""
        model = model or origin.details.model
        known: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: operation,
            names.GEN_AI_REQUEST_MODEL: model,
            names.GEN_AI_PROVIDER_NAME: provider or origin.details.provider,
            names.GEN_AI_REQUEST_STREAM: stream,
        }
        name = f"{operation} {model}" if model else operation
        super().__init__(origin, name, SpanKind.CLIENT, known | origin.details.identity())


class ToolCall(Scope):
    """One call of a tool: the span `execute_tool {name}` (OTel GenAI, "execute tool").

    It succeeds unless `fail()` was called last or an exception leaves the block.
    """

    def __init__(self, origin: Origin, name: str, call_id: str | None, *, started_ns: int | None = None) -> None:
        """`call_id` is the model's id of the call; `started_ns` is Unix nanoseconds, by default now."""
        known: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: names.OPERATION_EXECUTE_TOOL,
            names.GEN_AI_TOOL_NAME: name,
            names.GEN_AI_TOOL_CALL_ID: call_id,
        }
        super().__init__(
            origin,
            f"{names.OPERATION_EXECUTE_TOOL} {name}",
            SpanKind.INTERNAL,
            known | origin.details.identity(),
            started_ns=started_ns,
        )

    def ok(self) -> None:
        """The tool did what it was asked."""
        self._succeed()

    def fail(self, error_type: str | None = None, message: str | None = None) -> None:
        """The tool failed without raising: `error_type` is a low-cardinality word such as `not_found`."""
        self._fail(error_type, message)
