"""One agent's work on one request, with its model calls, tool calls, steps and delegations below it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, TypedDict

from opentelemetry.trace import SpanKind

from spandeck.attributes import logger, quietly
from spandeck.evaluation import EvaluationSource
from spandeck.forking import this_process
from spandeck.monitoring import RequestComplete, RequestStart
from spandeck.origin import Clock, Details, Origin, Outlet
from spandeck.scope import ambient
from spandeck.span_id import SpanId
from spandeck.tally import Tally
from spandeck.work import Work
from spandeck_schema import semantic_conventions as names

Architecture = Literal["orchestrated", "autonomous", "hierarchical", "hybrid"]

# By process: each has its own first request.
_first_requests: dict[object, object] = {}


class RequestOptions(TypedDict, total=False):
    """What may be said about a request when it starts; all of it is optional and None is unknown.

    `agent` is the agent's name, by default the name of the request. A nested request takes `session_id`,
    `user_id`, `model` and `provider` from the one around it. `architecture` is the declared coordination
    pattern. `model` and `provider` are what `usage` on the request itself is priced by, and the defaults of
    its model calls. `attributes` are set on the span as they are. `links` are other spans that this one follows
    from, each as trace id (32 hex digits) and span id (16); what is none is left out.
    """

    agent: str | None
    session_id: str | None
    user_id: str | None
    architecture: Architecture | None
    model: str | None
    provider: str | None
    attributes: Mapping[str, object] | None
    links: Iterable[tuple[str, str]] | None


class Request(Work):
    """An agent at work on one request: the span `invoke_agent {agent}` (OTel GenAI, "invoke agent").

    It starts when it is made and ends when its `with` block is left or with `complete()`. Made by
    `spandeck.request`, `Telemetry.request` or, for a delegation to another agent, `Request.request`.
    Safe to share between threads and tasks: children name this request as their parent explicitly.
    """

    _stands_for_calls = True

    def __init__(self, origin: Origin, name: str, options: RequestOptions, *, outermost: bool = False) -> None:
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
            {**known, **details.identity(), **(options.get("attributes") or {})},
            links=_links(options.get("links")),
        )
        self._name = name
        self._outermost = outermost
        if self._recording and _is_first_of_process():
            self._set({names.SPANDECK_COLD_START: True})
        if outermost:
            origin.tally.root = self
            origin.tally.request_id = self.trace_id or origin.tally.request_id
            self._tell_start()

    @property
    def request_id(self) -> str:
        """A name of the outermost request that is unique in this process, with or without a trace."""
        return self._origin.tally.request_id

    @property
    def cost_usd(self) -> float | None:
        """USD of the outermost request so far, by the prices given to `configure`; None where none is known."""
        return self._origin.tally.cost_usd

    def carry(self, run: object) -> None:
        """Let what is done below this request know the run of an agent that it is part of."""
        self._origin = replace(self._origin, run=run)

    def feedback(
        self,
        *,
        score: float | None = None,
        label: str | None = None,
        comment: str | None = None,
        name: str = "user_feedback",
        source: EvaluationSource = "human",
    ) -> None:
        """What a person thought of the answer, also after the end of the request: an evaluation result."""
        self.evaluation(name, score=score, label=label, explanation=comment, source=source)

    def complete(self, success: bool = True, *, error_type: str | None = None, message: str | None = None) -> None:
        """The request is over, well or not; its span ends now. What follows in the `with` block is not in it."""
        if success:
            self._succeed()
        else:
            self._fail(error_type, message)
        self.end()

    @quietly
    def _tell_start(self) -> None:
        start = RequestStart(self.request_id, self.trace_id, self._name, self.details.agent)
        self._origin.outlet.monitor.started(start)

    def _after_end(self, duration_ms: float) -> None:
        if not self._outermost:
            return
        self._origin.outlet.monitor.completed(
            RequestComplete(
                self.request_id,
                self.trace_id,
                self._name,
                self.details.agent,
                success=self._failure is None and not self._cancelled,
                cancelled=self._cancelled,
                duration_ms=duration_ms,
                cost_usd=self.cost_usd,
            )
        )


def start_request(outlet: Outlet, name: str, options: RequestOptions, architecture: str | None = None) -> Request:
    """A request below the span that is current now; `architecture` is the default for outermost requests."""
    context, outer = ambient()
    details = inherit(name, options, None if outer is None else outer.details)
    if outer is not None:
        return Request(replace(outer.origin, outlet=outlet, details=details, context=context), name, options)
    if details.architecture is None:
        details = replace(details, architecture=architecture)
    origin = Origin(outlet, Clock(), details, context, Tally())
    return Request(origin, name, options, outermost=True)


def inherit(name: str, options: RequestOptions, outer: Details | None) -> Details:
    """The details of a request named `name` inside `outer`, with what `options` say instead."""
    inherited = Details("") if outer is None else outer
    return Details(
        agent=options.get("agent") or name,
        session_id=options.get("session_id") or inherited.session_id,
        user_id=options.get("user_id") or inherited.user_id,
        architecture=options.get("architecture"),
        model=options.get("model") or inherited.model,
        provider=options.get("provider") or inherited.provider,
    )


def _links(ids: Iterable[tuple[str, str]] | None) -> list[SpanId]:
    """The links that are ones: a wrong id must not fail the request."""
    links = []
    for trace_id, span_id in ids or ():
        try:
            links.append(SpanId.from_hex(trace_id, span_id))
        except (TypeError, ValueError):
            logger.debug("%r, %r is no span to link to", trace_id, span_id)
    return links


def _is_first_of_process() -> bool:
    """True once in each process, forked ones too: `setdefault` is atomic."""
    mark = object()
    return _first_requests.setdefault(this_process(), mark) is mark
