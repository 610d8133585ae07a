"""One open span: an explicit parent, current only inside its `with`, ended exactly once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from spandeck import attributes
from spandeck.attributes import quietly
from spandeck.evaluation import Evaluation, EvaluationSource, evaluation_event
from spandeck.events import Event, alert_attributes
from spandeck.forking import this_process
from spandeck.monitoring import Alert, Severity
from spandeck.origin import Clock, Details, Origin
from spandeck.span_id import SpanId
from spandeck_schema import semantic_conventions as names

NANOSECONDS_PER_MILLISECOND = 1e6
_SCOPE_KEY = otel_context.create_key("spandeck-scope")


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
        links: Sequence[SpanId] = (),
    ) -> None:
        self._origin = origin
        self._process = this_process()
        self._started_ns = origin.clock.now_ns() if started_ns is None else started_ns
        self._ended = False
        self._succeeded = False
        self._cancelled = False
        self._failure: _Failure | None = None
        self._recorded: BaseException | None = None
        self._previous: Context | None = None
        self._span = _start(origin, name, kind, known=known, started_ns=self._started_ns, links=links)
        self._recording = self._span.is_recording()
        self._context = otel_context.set_value(_SCOPE_KEY, self, trace.set_span_in_context(self._span, origin.context))

    @property
    def details(self) -> Details:
        """What this scope passes on to its children."""
        return self._origin.details

    @property
    def origin(self) -> Origin:
        """Where this scope's span comes from."""
        return self._origin

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
        if self._ended or self._process is not this_process():
            return
        self._before_end()
        if self._failure is not None:
            self._set({names.ERROR_TYPE: self._failure.error_type})
            self._span.set_status(Status(StatusCode.ERROR, self._failure.message))
        elif self._succeeded:
            self._span.set_status(Status(StatusCode.OK))
        self._ended = True
        self._recorded = None
        ended_ns = self._origin.clock.now_ns() if ended_ns is None else ended_ns
        self._span.end(ended_ns)
        self._after_end((ended_ns - self._started_ns) / NANOSECONDS_PER_MILLISECOND)

    @quietly
    def evaluation(
        self,
        name: str,
        *,
        score: float | None = None,
        label: str | None = None,
        explanation: str | None = None,
        source: EvaluationSource = "code",
        response_id: str | None = None,
    ) -> None:
        """Record a judgement of this work, also after its end: the event `gen_ai.evaluation.result`.

        `name` is what was judged, such as `unsupported_values`; `label` its low-cardinality outcome; `source`
        says who judged. A label or a score should be given; what is None is unknown.
        """
        context = self._span.get_span_context()
        judged = SpanId(context.trace_id, context.span_id)
        if self._recording:
            self._emit(
                evaluation_event(
                    judged, Evaluation(name, score, label, explanation, source, response_id), self.clock.now_ns()
                )
            )

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the span the current one for a while, without ending it after."""
        token = otel_context.attach(self._context) if self._recording else None
        try:
            yield
        finally:
            if token is not None:
                otel_context.detach(token)

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
            self.record_error(error)
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

    def _before_end(self) -> None:
        """The span is about to end: the last moment to add to it."""

    def _after_end(self, duration_ms: float) -> None:
        """The span has ended after `duration_ms` milliseconds."""

    @quietly
    def _emit(self, event: Event) -> None:
        self._origin.outlet.emit(event)

    @quietly
    def _alert(self, rule: str, level: Severity, message: str, value: float, threshold: float) -> None:
        """Tell an alert about this span in the process, and on the span while it is open."""
        alert = Alert(
            rule, level, message, value, threshold, self._origin.tally.request_id, self.trace_id, self.span_id
        )
        if not self._ended:
            self._span.add_event(names.SPANDECK_ALERT, alert_attributes(alert), self.clock.now_ns())
        self._origin.outlet.monitor.alert(alert)

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
    def record_error(self, error: BaseException) -> None:
        """Mark the span with an exception of the user's code; closing a generator early is not an error."""
        if self._ended or self._recorded is error:
            return
        self._recorded = error
        if isinstance(error, GeneratorExit):
            self._cancel()
        elif attributes.is_cancellation(error):
            self._cancel()
            self._fail("cancelled", None)
        else:
            self._fail(attributes.error_type(error), attributes.message_of(error))
            self._span.add_event(names.EXCEPTION_EVENT, attributes.exception_event(error), self._origin.clock.now_ns())

    def _cancel(self) -> None:
        self._cancelled = True
        self._set({names.SPANDECK_CANCELLED: True})

    def _leave(self) -> None:
        """Restore the context of before, unless this scope is left in another task or out of order.

        Contexts are set, not reset by token: a token is refused in another task, and this runs there when a
        generator that holds the scope open is closed by the event loop.
        """
        if self._previous is not None and _current_scope(otel_context.get_current()) is self:
            otel_context.attach(_skip_ended(self._previous))

    def _below(self, details: Details | None = None) -> Origin:
        """The origin of a child of this scope."""
        return replace(self._origin, details=self.details if details is None else details, context=self._context)


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


def _start(
    origin: Origin,
    name: str,
    kind: SpanKind,
    *,
    known: Mapping[str, object],
    started_ns: int,
    links: Sequence[SpanId],
) -> Span:
    try:
        values: dict[str, AttributeValue] = attributes.known(known)
        return origin.outlet.tracer.start_span(
            attributes.text(name),
            origin.context,
            kind,
            attributes=values,
            links=[Link(link.context()) for link in links],
            start_time=started_ns,
        )
    except Exception:
        attributes.logger.debug("a span was not started", exc_info=True)
        return trace.INVALID_SPAN
