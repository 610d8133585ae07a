"""One agent run as a script: `with run.agent("planner") as agent: agent.chat(...)` leaves spans behind.

Every open span has a clock of its own that work inside it moves forward, so a pattern reads like the
code of the agents that it stands for.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from generator import catalogue
from generator.catalogue import Failure, Model, Tool
from generator.chat_calls import ChatRequest, answered, log_normal
from generator.drafts import Conversation, Dialect, Draft, Exchange
from generator.otlp import Event, Resource, Span, StatusCode

T = TypeVar("T")

_CHAT_ATTEMPTS = 3
_CLOCK_TICK_NS = 1000


class RunError(Exception):
    """The agent cannot go on; every span it is raised through ends with this failure."""

    def __init__(self, failure: Failure) -> None:
        """Carry the failure to the root."""
        super().__init__(failure.message)
        self.failure = failure


@dataclass
class Run:
    """One trace in the making; slowdown multiplies the latency of its model calls."""

    rng: random.Random
    dialect: Dialect
    resource: Resource
    start_ns: int
    conversation: Conversation | None = None
    slowdown: float = 1.0
    exchange: Exchange | None = None
    spans: list[Span] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Give the trace its id."""
        self.trace_id = f"{self.rng.getrandbits(128):032x}"

    def agent(self, name: str) -> Step:
        """Open the trace with an agent."""
        return self.root(self.dialect.agent(name), name)

    def workflow(self, name: str) -> Step:
        """Open the trace with a workflow that no agent leads."""
        return self.root(self.dialect.workflow(name), name)

    def root(self, draft: Draft, agent_name: str = "") -> Step:
        """Open the trace with any span; the root says whose conversation it is."""
        span = self.add(draft, self.start_ns, "", self.resource)
        if self.conversation:
            span.attributes |= self.dialect.conversation(self.conversation)
        return Step(self, span, agent_name, None)

    def add(self, draft: Draft, start_ns: int, parent_span_id: str, resource: Resource) -> Span:
        """Add a span that has not ended yet."""
        span = Span(
            trace_id=self.trace_id,
            span_id=f"{self.rng.getrandbits(64):016x}",
            parent_span_id=parent_span_id,
            resource=resource,
            scope=draft.scope,
            name=draft.name,
            kind=draft.kind,
            start_ns=start_ns,
            attributes=dict(draft.attributes),
        )
        self.spans.append(span)
        return span

    def chance(self, ratio: float) -> bool:
        """Say yes in this share of cases."""
        return self.rng.random() < ratio


class Step:
    """An open span; leaving the `with` block ends it and moves the clock of the span around it."""

    def __init__(self, run: Run, span: Span, agent_name: str, around: Step | None) -> None:
        """Start the clock where the span starts; agent_name is the agent at work here."""
        self.run = run
        self.span = span
        self.agent_name = agent_name
        self.now_ns = span.start_ns
        self._around = around

    def __enter__(self) -> Self:
        """Work inside this span."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End the span; a `RunError` marks it, passes on to the span around it and stops at the root."""
        self.spend(0.4, 0.5)
        if isinstance(error, RunError):
            self.fail(error.failure)
        self.span.end_ns = self.now_ns
        if self.span.status is StatusCode.UNSET:
            self.span.status = self.run.dialect.success
        if self._around is not None:
            self._around.now_ns = self.now_ns
        return self._around is None and isinstance(error, RunError)

    def spend(self, median_ms: float, spread: float = 0.3) -> None:
        """Let time pass."""
        self.now_ns += round(log_normal(self.run.rng, median_ms * 1000, spread)) * _CLOCK_TICK_NS

    def fail(self, failure: Failure) -> None:
        """Mark the span as failed now; the first failure stays."""
        if self.span.status is StatusCode.ERROR:
            return
        self.span.status, self.span.status_message = StatusCode.ERROR, failure.message
        self.span.attributes |= self.run.dialect.failure(failure)
        details = {"exception.type": failure.type_name, "exception.message": failure.message}
        self.span.events.append(Event("exception", self.now_ns, details))

    def open(self, draft: Draft, resource: Resource | None = None, agent_name: str | None = None) -> Step:
        """Open any span below this one, in another service if a resource is given."""
        self.spend(0.6, 0.5)
        span = self.run.add(draft, self.now_ns, self.span.span_id, resource or self.span.resource)
        return Step(self.run, span, agent_name or self.agent_name, self)

    def agent(self, name: str, resource: Resource | None = None) -> Step:
        """Invoke an agent, in another service if a resource is given."""
        return self.open(self.run.dialect.agent(name), resource, name)

    def call(self, name: str) -> Step:
        """Open a tool whose work is done by the steps inside it."""
        return self.open(self.run.dialect.tool(name, None))

    def hand_off(self, target: str) -> Step:
        """Pass on to a peer, or message it; what the peer does goes inside."""
        return self.open(self.run.dialect.handoff(self.agent_name, target))

    def in_parallel(self, items: Iterable[T]) -> Iterator[T]:
        """Yield each item with the clock set back to the same start, then move on past the slowest."""
        started_ns = latest_ns = self.now_ns
        try:
            for item in items:
                self.now_ns = started_ns
                yield item
                latest_ns = max(latest_ns, self.now_ns)
        finally:
            self.now_ns = max(latest_ns, self.now_ns)

    def chat(
        self,
        model: Model,
        input_tokens: int,
        output_tokens: int,
        *,
        streamed: bool = False,
        wants_tool: bool = False,
        first_token_ms: float | None = None,
        says: bool = False,
    ) -> None:
        """Ask a model; `says` records content. Raises `RunError` after three rate limits in a row."""
        self._wait_for_a_slot(model)
        run = self.run
        request = ChatRequest(model, input_tokens, output_tokens, streamed, wants_tool, first_token_ms, says)
        call = answered(run.rng, request, run.slowdown, run.exchange)
        with self.open(run.dialect.chat(call)) as step:
            step.span.events += run.dialect.chat_events(call, step.now_ns)
            step.spend(call.first_token_ms, 0.0)
            step.spend(run.slowdown * call.output_tokens / model.tokens_per_s * 1000, 0.15)

    def use(self, tool: Tool, failure_ratio: float | None = None) -> bool:
        """Call a tool; false when it failed and the agent has to do without."""
        arguments = f'{{"id": {self.run.rng.randrange(1000, 9999)}}}'
        with self.open(self.run.dialect.tool(tool.name, arguments)) as step:
            step.spend(tool.median_ms, tool.spread)
            failed = self.run.chance(tool.failure_ratio if failure_ratio is None else failure_ratio)
            if failed:
                step.spend(2 * tool.median_ms)
                step.fail(tool.failure)
        return not failed

    def retrieve(self, source: str, documents: int = 3) -> None:
        """Embed a question and search a vector store with it."""
        rng = self.run.rng
        found = [f"{source}-{rng.randrange(1, 400)}" for _ in range(documents)]
        self._leaf(self.run.dialect.embedding(round(log_normal(rng, 24, 0.4))), 70, 0.3)
        self._leaf(self.run.dialect.retrieval(source, found), 38, 0.5)

    def remember(self, operation: str, store: str) -> None:
        """Read or write an agent memory."""
        self._leaf(self.run.dialect.memory(operation, store), 6, 0.6)

    def _leaf(self, draft: Draft, median_ms: float, spread: float) -> None:
        with self.open(draft) as step:
            step.spend(median_ms, spread)

    def _wait_for_a_slot(self, model: Model) -> None:
        """Get past the rate limit of a model's provider; once it has refused, it likely does so again."""
        for attempt in range(_CHAT_ATTEMPTS):
            if not self.run.chance(catalogue.RATE_LIMIT_RATIO * (1 + 8 * attempt)):
                return
            with self.open(self.run.dialect.refused_chat(model)) as step:
                step.spend(180)
                step.fail(catalogue.RATE_LIMIT)
            self.spend(900 * 2**attempt)
        raise RunError(catalogue.RATE_LIMIT)
