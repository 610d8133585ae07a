"""One open span: an explicit parent, current only inside its `with`, ended exactly once."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from spandeck import attributes
from spandeck.attributes import quietly
from spandeck_schema import semantic_conventions as names

_SCOPE_KEY = otel_context.create_key("spandeck-scope")


class Clock:
    """Unix nanoseconds that never step back: the wall clock read once, carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._wall_ns = time.time_ns()
        self._origin_ns = time.perf_counter_ns()

    def now_ns(self) -> int:
        """The time now, in nanoseconds since 1970 UTC."""
        return self._wall_ns + time.perf_counter_ns() - self._origin_ns


@dataclass(frozen=True)
class Details:
    """What a request passes on to all that happens inside it; None is unknown."""

    agent: str
    session_id: str | None = None
    user_id: str | None = None
    architecture: str | None = None
    model: str | None = None
    provider: str | None = None

    def identity(self) -> dict[str, object]:
        """The attributes that every span of the request carries, so that none needs its parent to be read."""
        return {
            names.GEN_AI_AGENT_NAME: self.agent,
            names.GEN_AI_CONVERSATION_ID: self.session_id,
            names.USER_ID: self.user_id,
        }


@dataclass(frozen=True)
class Origin:
    """Where a span comes from: who makes it, by which clock, for whom, and below what."""

    tracer: Tracer
    clock: Clock
    details: Details
    context: Context


@dataclass(frozen=True)
class _Failure:
    error_type: str
    message: str | None


class Scope:
    """A span that is open from its construction to `end()`, which leaving the `with` block calls.

    Inside `with` (or `async with`: the same) it is also the current span, so that other instrumentation nests
    below it. Exceptions of the block pass unchanged and mark the span; nothing here raises one of its own.
    """

    def __init__(
        self,
        origin: Origin,
        name: str,
        kind: SpanKind,
        known: Mapping[str, object],
        *,
        started_ns: int | None = None,
    ) -> None:
        self._origin = origin
        self._process_id = os.getpid()
        self._started_ns = origin.clock.now_ns() if started_ns is None else started_ns
        self._ended = False
        self._succeeded = False
        self._failure: _Failure | None = None
        self._recorded: BaseException | None = None
        self._previous: Context | None = None
        self._span = _start(origin, name, kind, known, self._started_ns)
        self._recording = self._span.is_recording()
        self._context = otel_context.set_value(_SCOPE_KEY, self, trace.set_span_in_context(self._span, origin.context))

    @property
    def details(self) -> Details:
        """What this scope passes on to its children."""
        return self._origin.details

    @property
    def clock(self) -> Clock:
        """The clock of the whole request, which its children go by."""
        return self._origin.clock

    @property
    def trace_id(self) -> str | None:
        """The trace id as 32 hex digits; None where nothing is recorded, as before `configure`."""
        return f"{self._span.get_span_context().trace_id:032x}" if self._recording else None

    @property
    def span_id(self) -> str | None:
        """The span id as 16 hex digits; None where nothing is recorded, as before `configure`."""
        return f"{self._span.get_span_context().span_id:016x}" if self._recording else None

    def set_attribute(self, name: str, value: object) -> None:
        """Set one attribute; None is unknown and sets nothing."""
        self._set({name: value})

    @quietly
    def end(self, *, ended_ns: int | None = None) -> None:
        """End the span now, or at `ended_ns` (Unix nanoseconds); a second call does nothing.

        A process that was forked while the span was open leaves it to its parent, which will end it.
        """
        if self._ended or self._process_id != os.getpid():
            return
        if self._failure is not None:
            self._set({names.ERROR_TYPE: self._failure.error_type})
            self._span.set_status(Status(StatusCode.ERROR, self._failure.message))
        elif self._succeeded:
            self._span.set_status(Status(StatusCode.OK))
        self._ended = True
        self._recorded = None
        self._span.end(self._origin.clock.now_ns() if ended_ns is None else ended_ns)

    def __enter__(self) -> Self:
        """Make the span the current one of this thread or task."""
        if self._recording and self._previous is None:
            self._previous = otel_context.get_current()
            otel_context.attach(self._context)
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        """Mark the span with the error, if any, end it, and restore the span that was current before."""
        if error is not None:
            self._record(error)
        self.end()
        self._leave()

    async def __aenter__(self) -> Self:
        """As `__enter__`."""
        return self.__enter__()

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        """As `__exit__`."""
        self.__exit__(error_type, error, stack)

    @property
    def _entered(self) -> bool:
        return self._previous is not None

    @quietly
    def _set(self, values: Mapping[str, object]) -> None:
        if not self._ended:
            self._span.set_attributes(attributes.known(values))

    def _succeed(self) -> None:
        self._succeeded, self._failure = True, None

    @quietly
    def _fail(self, error_type: str | None, message: str | None) -> None:
        self._failure = _Failure(
            names.ERROR_TYPE_OTHER if error_type is None else attributes.text(error_type),
            None if message is None else attributes.text(message),
        )

    @quietly
    def _record(self, error: BaseException) -> None:
        """Mark the span with an exception of the user's code; closing a generator early is not an error."""
        if self._ended or self._recorded is error:
            return
        self._recorded = error
        if isinstance(error, GeneratorExit):
            self._set({names.SPANDECK_CANCELLED: True})
        elif attributes.is_cancellation(error):
            self._set({names.SPANDECK_CANCELLED: True})
            self._fail("cancelled", None)
        else:
            self._fail(attributes.error_type(error), attributes.message_of(error))
            self._span.add_event(names.EXCEPTION_EVENT, attributes.exception_event(error), self._origin.clock.now_ns())

    def _leave(self) -> None:
        """Restore the context of before, unless this scope is left in another task or out of order.

        Contexts are set, not reset by token: a token is refused in another task, and this runs there when a
        generator that holds the scope open is closed by the event loop.
        """
        if self._previous is not None and _current_scope(otel_context.get_current()) is self:
            otel_context.attach(_skip_ended(self._previous))

    def _below(self, details: Details | None = None) -> Origin:
        """The origin of a child of this scope."""
        return Origin(
            self._origin.tracer, self._origin.clock, self.details if details is None else details, self._context
        )


def ambient() -> tuple[Context, Scope | None]:
    """The context to start a request in, and the open scope that it stands in, if any.

    A scope that has ended is no parent: it can still be current where a generator left it behind.
    """
    context = _skip_ended(otel_context.get_current())
    return context, _current_scope(context)


def _current_scope(context: Context) -> Scope | None:
    scope = otel_context.get_value(_SCOPE_KEY, context)
    return scope if isinstance(scope, Scope) else None


def _skip_ended(context: Context) -> Context:
    while (scope := _current_scope(context)) is not None and scope._ended and scope._previous is not None:
        context = scope._previous
    return context


def _start(origin: Origin, name: str, kind: SpanKind, known: Mapping[str, object], started_ns: int) -> Span:
    try:
        values: dict[str, AttributeValue] = attributes.known(known)
        return origin.tracer.start_span(
            attributes.text(name), origin.context, kind, attributes=values, start_time=started_ns
        )
    except Exception:
        attributes.logger.debug("a span was not started", exc_info=True)
        return trace.INVALID_SPAN
