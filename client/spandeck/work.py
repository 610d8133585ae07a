"""What can be done inside a request or a step of it: calls, tools, steps, memory, messages, other agents."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

from opentelemetry.trace import SpanKind

from spandeck.attributes import quietly
from spandeck.calls import LlmCall, MemoryCall, MemoryOperation, MemoryTier, ToolCall
from spandeck.model_scope import ModelScope
from spandeck.origin import Origin
from spandeck.scope import NANOSECONDS_PER_MILLISECOND, Scope
from spandeck_schema import semantic_conventions as names

if TYPE_CHECKING:
    from spandeck.requests import Request, RequestOptions


class Work(ModelScope):
    """A span that other work stands in. Children name it as their parent explicitly, so any thread may add them."""

    _step_count = 0
    _loop_count = 0

    def llm_call(
        self,
        model: str | None = None,
        provider: str | None = None,
        *,
        operation: str = names.OPERATION_CHAT,
        stream: bool | None = None,
        attempt: int | None = None,
    ) -> LlmCall:
        """Start a call of a model below this work; use it in a `with` block or call its `end()`.

        `operation` is a gen_ai.operation.name (`chat`, `text_completion`, `embeddings`); `stream` says whether
        a streamed answer was asked for; `attempt` counts the tries of the same call from 1. None is unknown.
        """
        return LlmCall(self._below(), model, provider, stream, operation=operation, attempt=attempt)

    def tool_call(
        self, name: str, call_id: str | None = None, *, arguments: object = None, attempt: int | None = None
    ) -> ToolCall:
        """Start a call of the tool `name` below this work; use it in a `with` block or call its `end()`.

        Of `arguments` only a hash is sent, by which repeated calls are found; `attempt` counts tries from 1.
        """
        return ToolCall(self._below(), name, call_id, attempt=attempt, arguments_hash=arguments_hash(arguments))

    def request(self, name: str, **options: Unpack["RequestOptions"]) -> "Request":
        """Delegate to another agent: a request below this one, which may run in any thread or task."""
        from spandeck.requests import Request, inherit  # noqa: PLC0415 - a request is itself work

        return Request(self._below(inherit(name, options, self.details)), name, options)

    def step(self, name: str | None = None) -> "Step":
        """Start the next step of this work: `with req.step("plan") as step:`; steps count from 1."""
        self._step_count += 1
        return Step(self._below(), name, self._step_count)

    @quietly
    def loop(self) -> None:
        """The agent goes round its loop of model and tools once more."""
        self._loop_count += 1
        self._set({names.SPANDECK_LOOP_COUNT: self._loop_count})

    def memory(self, tier: MemoryTier, operation: MemoryOperation = "search_memory") -> MemoryCall:
        """Start an access to the agent's memory; use it in a `with` block or call its `end()`."""
        return MemoryCall(self._below(), tier, operation)

    @quietly
    def handoff(self, to_agent: str) -> None:
        """This agent gives the conversation to `to_agent` and does not wait for an answer."""
        self._instant(
            f"{names.OPERATION_HANDOFF} to {to_agent}",
            {
                names.GEN_AI_OPERATION_NAME: names.OPERATION_HANDOFF,
                names.GEN_AI_HANDOFF_FROM_AGENT: self.details.agent,
                names.GEN_AI_HANDOFF_TO_AGENT: to_agent,
            },
        )

    @quietly
    def message(self, to_agent: str) -> None:
        """This agent sends `to_agent` a message; its text is not recorded."""
        self._instant(
            f"{names.OPERATION_MESSAGE} to {to_agent}",
            {
                names.GEN_AI_OPERATION_NAME: names.OPERATION_MESSAGE,
                names.SPANDECK_MESSAGE_FROM_AGENT: self.details.agent,
                names.SPANDECK_MESSAGE_TO_AGENT: to_agent,
            },
        )

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
        ended_ns = self.clock.now_ns()
        started_ns = ended_ns - max(0, round(duration_ms * NANOSECONDS_PER_MILLISECOND))
        call = ToolCall(self._below(), name, call_id, started_ns=started_ns)
        if ok:
            call.ok()
        else:
            call.fail(error_type, message)
        call.end(ended_ns=ended_ns)

    def _instant(self, name: str, known: Mapping[str, object]) -> None:
        Scope(self._below(), name, SpanKind.INTERNAL, {**known, **self.details.identity()}).end()


class Step(Work):
    """One step of an agent's work: the span `step {name}`, with its ordinal, around what happens in it."""

    def __init__(self, origin: Origin, name: str | None, number: int) -> None:
        known = {names.GEN_AI_OPERATION_NAME: names.OPERATION_PLAN, names.SPANDECK_STEP: number}
        super().__init__(origin, f"step {name or number}", SpanKind.INTERNAL, {**known, **origin.details.identity()})


def arguments_hash(arguments: object) -> str | None:
    """A hash of `arguments` that equal arguments share, whatever the order of their keys; None of None."""
    if arguments is None:
        return None
    try:
        text = json.dumps(arguments, sort_keys=True, default=repr)
    except (TypeError, ValueError):
        text = repr(arguments)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
