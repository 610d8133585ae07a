"""The request monitor: one agent's work on one request, with its model calls, tool calls and delegations."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, TypedDict, Unpack

from opentelemetry.trace import SpanKind, Tracer

from spandeck.attributes import quietly
from spandeck.calls import LlmCall, ToolCall
from spandeck.model_scope import ModelScope
from spandeck.scope import Clock, Details, Origin, ambient
from spandeck_schema import semantic_conventions as names

Architecture = Literal["orchestrated", "autonomous", "hierarchical", "hybrid"]

_NANOSECONDS_PER_MILLISECOND = 1e6
_first_requests: dict[int, object] = {}


class RequestOptions(TypedDict, total=False):
    """What may be said about a request when it starts; all of it is optional and None is unknown.

    `agent` is the agent's name, by default the name of the request. A nested request takes `session_id`,
    `user_id`, `model` and `provider` from the one around it. `architecture` is the declared coordination
    pattern. `model` and `provider` are what `usage` on the request itself is priced by, and the defaults of
    its model calls. `attributes` are set on the span as they are.
    """

    agent: str | None
    session_id: str | None
    user_id: str | None
    architecture: Architecture | None
    model: str | None
    provider: str | None
    attributes: Mapping[str, object] | None


class Request(ModelScope):
    """An agent at work on one request: the span `invoke_agent {agent}` (OTel GenAI, "invoke agent").

    It starts when it is made and ends when its `with` block is left or with `complete()`. Made by
    `spandeck.request`, `Telemetry.request` or, for a delegation to another agent, `Request.request`.
    Safe to share between threads and tasks: children name this request as their parent explicitly.
    """

    def __init__(self, origin: Origin, name: str, extra: Mapping[str, object] | None) -> None:
        details = origin.details
        known: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: names.OPERATION_INVOKE_AGENT,
            names.GEN_AI_REQUEST_MODEL: details.model,
            names.GEN_AI_PROVIDER_NAME: details.provider,
            names.SPANDECK_ARCHITECTURE: details.architecture,
            names.SPANDECK_REQUEST_NAME: None if name == details.agent else name,
        }
        super().__init__(
            origin,
            f"{names.OPERATION_INVOKE_AGENT} {details.agent}",
            SpanKind.INTERNAL,
            {**known, **details.identity(), **(extra or {})},
        )
        if self._recording and _is_first_of_process():
            self._set({names.SPANDECK_COLD_START: True})

    def llm_call(
        self,
        model: str | None = None,
        provider: str | None = None,
        *,
        operation: str = names.OPERATION_CHAT,
        stream: bool | None = None,
    ) -> LlmCall:
        """Start a call of a model below this request; use it in a `with` block or call its `end()`.

        `operation` is a gen_ai.operation.name (`chat`, `text_completion`, `embeddings`); `stream` says whether
        a streamed answer was asked for, None is unknown.
        """
        return LlmCall(self._below(), model, provider, operation, stream)

    def tool_call(self, name: str, call_id: str | None = None) -> ToolCall:
        """Start a call of the tool `name` below this request; use it in a `with` block or call its `end()`."""
        return ToolCall(self._below(), name, call_id)

    def request(self, name: str, **options: Unpack[RequestOptions]) -> "Request":
        """Delegate to another agent: a request below this one, which may run in any thread or task."""
        return Request(self._below(_details(name, options, self.details)), name, options.get("attributes"))

    @quietly
    def tool_call_done(
        self,
        name: str,
        *,
        duration_ms: float,
        ok: bool = True,
        call_id: str | None = None,
        error_type: str | None = None,
        message: str | None = None,
    ) -> None:
        """Record a tool call that has just ended after `duration_ms` milliseconds, well or (`ok=False`) not."""
        ended_ns = self._origin.clock.now_ns()
        started_ns = ended_ns - max(0, round(duration_ms * _NANOSECONDS_PER_MILLISECOND))
        call = ToolCall(self._below(), name, call_id, started_ns=started_ns)
        if ok:
            call.ok()
        else:
            call.fail(error_type, message)
        call.end(ended_ns=ended_ns)

    def complete(self, success: bool = True, *, error_type: str | None = None, message: str | None = None) -> None:
        """The request is over, well or not; its span ends now. What follows in the `with` block is not in it."""
        if success:
            self._succeed()
        else:
            self._fail(error_type, message)
        self.end()


def start_request(tracer: Tracer, name: str, options: RequestOptions, architecture: str | None = None) -> Request:
    """A request below the span that is current now; `architecture` is the default for outermost requests."""
    context, outer = ambient()
    clock = Clock() if outer is None else outer.clock
    details = _details(name, options, None if outer is None else outer.details)
    if outer is None and details.architecture is None:
        details = replace(details, architecture=architecture)
    return Request(Origin(tracer, clock, details, context), name, options.get("attributes"))


def _details(name: str, options: RequestOptions, outer: Details | None) -> Details:
    inherited = Details("") if outer is None else outer
    return Details(
        agent=options.get("agent") or name,
        session_id=options.get("session_id") or inherited.session_id,
        user_id=options.get("user_id") or inherited.user_id,
        architecture=options.get("architecture"),
        model=options.get("model") or inherited.model,
        provider=options.get("provider") or inherited.provider,
    )


def _is_first_of_process() -> bool:
    """True once in each process, forked ones too: `setdefault` is atomic."""
    mark = object()
    return _first_requests.setdefault(os.getpid(), mark) is mark
