"""An agent in production: one object for plain, asynchronous and streamed calls."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from spandeck.agent import effects
from spandeck.agent.asking import Ask, Message, task_of
from spandeck.agent.flow import Flow
from spandeck.agent.ports import CachePort, GuardPort, RouterPort
from spandeck.agent.result import AgentResult, Update
from spandeck.guard import Budget, Guard, Permissions
from spandeck.monitoring import Monitor
from spandeck.optimizer import Cache, Router
from spandeck.recovery.circuit import CircuitBreaker
from spandeck.recovery.dead_letters import DeadLetters
from spandeck.recovery.fallback import Fallback
from spandeck.recovery.retry import Retry
from spandeck.requests import Request
from spandeck.telemetry import outlet_here
from spandeck.telemetry import request as ambient_request

if TYPE_CHECKING:
    from spandeck.telemetry import Telemetry

Function = Callable[..., Any]


class Default(Enum):
    """Stands for a part that was not named."""

    DEFAULT = "default"


DEFAULT = Default.DEFAULT


class RunOptions(TypedDict, total=False):
    """What may be said about one run; all optional.

    `task` is the user's text where there are no `messages`; `complexity` is what the router is told; `options` go
    to the function as they are (`max_tokens`, `system`, `tools`, `temperature`, `model`, ...). `tenant` keeps
    cached answers apart. `on_update` is called with each `Update`.
    """

    task: str
    messages: Sequence[Message]
    complexity: str | None
    options: Mapping[str, Any]
    session_id: str | None
    user_id: str | None
    tenant: str | None
    on_update: Callable[[Update], object] | None


class Agent:
    """Runs a function of yours that calls a model: guarded, cached, routed, retried and recorded.

    `call` is that function: `client.messages.create` of an SDK, `lambda req: ...` with a `ModelRequest`, or any
    `answer(task)`; it may be asynchronous, and return an answer, an iterator of chunks, or plain text. What it
    raises passes unchanged, after the request is recorded as failed. Of its own an agent raises `SecurityError`
    (the guard or the budget refuses) and `CircuitOpenError`. Safe to share between threads and tasks. The SDK's own
    retries should be switched off (`max_retries=0`): one layer is enough.
    """

    def __init__(
        self,
        name: str,
        call: Function | None = None,
        *,
        guard: GuardPort | Default | None = DEFAULT,
        cache: CachePort | Default | None = DEFAULT,
        router: RouterPort | Default | None = DEFAULT,
        budget: Budget | Default | None = DEFAULT,
        permissions: Permissions | None = None,
        retry: Retry | None = None,
        breaker: CircuitBreaker | None = None,
        fallback: Fallback | None = None,
        dead_letters: DeadLetters | None = None,
        model: str | None = None,
        provider: str | None = None,
        description: str | None = None,
        telemetry: "Telemetry | None" = None,
    ) -> None:
        """Guard, cache (verified), router and budget are the default ones unless given; None switches one off.

        `retry` is by default `Retry()`; `permissions` decide on tools that declare one, and without them those are
        refused. `model` is called where there is no router; `provider` names it on spans; `telemetry` is by
        default what `spandeck.configure` made last.
        """
        self.name = name
        self.call = call
        self.guard: GuardPort | None = Guard.default() if isinstance(guard, Default) else guard
        self.cache: CachePort | None = Cache() if isinstance(cache, Default) else cache
        self.router: RouterPort | None = _router(model) if isinstance(router, Default) else router
        self.budget = Budget() if isinstance(budget, Default) else budget
        self.permissions = permissions
        self.retry = retry or Retry()
        self.breaker = breaker
        self.fallback = fallback
        self.dead_letters = dead_letters
        self.model = model
        self.provider = provider
        self.description = description
        self._telemetry = telemetry

    def run(self, call: Function | str | None = None, **run: Unpack[RunOptions]) -> AgentResult:
        """Ask the agent and wait for its answer.

        `call` is by default the agent's own function; a text there is the task: `agent.run("Where is my order?")`.
        """
        result: AgentResult = effects.run(self._flow(call, run).steps())
        return result

    async def arun(self, call: Function | str | None = None, **run: Unpack[RunOptions]) -> AgentResult:
        """As `run`, for functions that are awaited (others are called as they are, in the event loop)."""
        result: AgentResult = await effects.arun(self._flow(call, run, asynchronous=True).steps())
        return result

    def stream(self, call: Function | str | None = None, **run: Unpack[RunOptions]) -> Generator[Any]:
        """As `run`, yielding the redacted text of the answer as it comes; chunks that are no text come as they are.

        The request begins with the first chunk that is asked for; closing early is recorded as cancelled.
        """
        yield from effects.stream(self._flow(call, run, streaming=True).steps())

    async def astream(self, call: Function | str | None = None, **run: Unpack[RunOptions]) -> AsyncGenerator[Any]:
        """As `stream`, for asynchronous functions and chunks."""
        chunks = effects.astream(self._flow(call, run, streaming=True, asynchronous=True).steps())
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()

    @property
    def monitor(self) -> Monitor:
        """Where the sums of its runs are."""
        return outlet_here().monitor if self._telemetry is None else self._telemetry.monitor

    def stream_redactor(self) -> Any:
        """What redacts one stream (`feed`, `close`), or None."""
        make = getattr(self.guard, "redact_stream", None)
        return None if make is None else make()

    def _flow(
        self, call: Function | str | None, run: RunOptions, *, streaming: bool = False, asynchronous: bool = False
    ) -> Flow:
        ask = self._ask(call, run)
        return Flow(self, ask, self._request(ask), streaming=streaming, asynchronous=asynchronous)

    def _ask(self, call: Function | str | None, run: RunOptions) -> Ask:
        task, function = (call, self.call) if isinstance(call, str) else (run.get("task"), call or self.call)
        if function is None:
            raise TypeError(f"Agent {self.name!r} has no function: give one to Agent(..., call=...) or to the run.")
        messages = run.get("messages") or [{"role": "user", "content": task or ""}]
        return Ask(
            function,
            task or task_of(messages),
            messages,
            run.get("complexity"),
            run.get("options") or {},
            run.get("session_id"),
            run.get("user_id"),
            run.get("tenant"),
            run.get("on_update"),
        )

    def _request(self, ask: Ask) -> Request:
        make = ambient_request if self._telemetry is None else self._telemetry.request
        return make(self.name, session_id=ask.session_id, user_id=ask.user_id, model=self.model, provider=self.provider)


def _router(model: str | None) -> RouterPort | None:
    """The default router, unless one model was named for all."""
    return Router() if model is None else None
