"""One run of an agent: guard, cache, route, call, record, sanitize, store; written once for every way of calling."""

import inspect
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from spandeck.agent.asking import Ask
from spandeck.agent.effects import Call, Effect, Emit, Outcome, Steps
from spandeck.agent.ports import HitPort, VerdictPort
from spandeck.agent.result import AgentResult, Stage, Update
from spandeck.agent.tries import Spoken, Tries
from spandeck.answers import Answer
from spandeck.attributes import is_cancellation, logger
from spandeck.guard.errors import SecurityError
from spandeck.prices import Usage
from spandeck.recovery.fallback import Degradation
from spandeck.requests import Request
from spandeck.scope import Scope
from spandeck_schema import semantic_conventions as names

if TYPE_CHECKING:
    from spandeck.agent.agent import Agent

# Answers that stopped for these reasons are not whole, and are not cached.
_BROKEN_OFF = frozenset({"length", "max_tokens", "content_filter", "refusal", "incomplete"})
# What makes two questions to one model different, beside the conversation itself.
_KEY_OPTIONS = ("system", "tools", "temperature")


class Flow:
    """The steps of one run. What the program's function raises passes unchanged; `SecurityError` is a refusal."""

    def __init__(self, agent: "Agent", ask: Ask, request: Request, *, streaming: bool, asynchronous: bool) -> None:
        self.agent = agent
        self.ask = ask
        self.request = request
        self.streaming = streaming
        self.has_side_effects = False
        self.is_tainted = False
        self._asynchronous = asynchronous
        self._verdict: VerdictPort | None = None
        self._tries = Tries(self, agent.retry, agent.breaker, agent.fallback)
        self._redactor = agent.stream_redactor() if streaming else None
        self._spending = agent.budget.start() if agent.budget is not None else None
        self._charged_usd = self.request.cost_usd or 0.0
        request.carry(self)

    def steps(self) -> Steps:
        """The outcome of the run: an `AgentResult` or the error. The request is complete then, well or not."""
        try:
            outcome = yield from self._work()
        except BaseException as error:
            outcome = Outcome(error=error)
        if outcome.error is None:
            self.request.complete()
        else:
            self._fail(outcome.error)
            self.request.end()
        self.update("done" if outcome.error is None else "failed")
        return outcome

    def update(self, stage: Stage, **details: Any) -> None:
        """Tell the caller what begins; an error of the listener is not the agent's."""
        if self.ask.on_update is None:
            return
        try:
            self.ask.on_update(Update(stage, details))
        except Exception:
            logger.debug("on_update failed at %r", stage, exc_info=True)

    def look_up(self, model: str | None, *, allow_stale: bool = False) -> Generator[Effect, Outcome, HitPort | None]:
        """The cached answer of `model`, if any; a cache that fails has none."""
        cache = self.agent.cache
        if cache is None:
            return None
        get = getattr(cache, "aget", cache.get) if self._asynchronous else cache.get
        key = self._cache_key(model)
        found = yield Call(self.request.current, lambda: get(list(self.ask.messages), allow_stale=allow_stale, **key))
        self._pass_cancellation(found.error)
        hit: HitPort | None = found.value
        return hit

    def hand_on(self, chunk: Any, piece: str) -> Generator[Effect, Outcome, Outcome]:
        """Give the reader the text of a chunk, redacted; a chunk that is no text as it is."""
        if not piece:
            return (yield Emit(chunk)) if not isinstance(chunk, str) and _is_foreign(chunk) else Outcome(True)
        given = piece if self._redactor is None else self._redactor.feed(piece)
        return (yield Emit(given)) if given else Outcome(True)

    def around(self, scope: Scope) -> Callable[[], AbstractContextManager[None]]:
        """Where the program's own function runs: below `scope`, on the account of this run."""

        @contextmanager
        def inside() -> Iterator[None]:
            with scope.current(), self._spending or nullcontext():
                yield

        return inside

    def charge_step(self) -> None:
        """A try of a model or a call of a tool begins; raises `SecurityError` where the run has spent its budget."""
        if self._spending is not None:
            self._spending.spend(steps=1)

    def charge_usage(self, usage: Usage, cost_usd: float | None) -> None:
        """Tokens and cost were used: what is over the bound now refuses the next step, not the answer that was paid."""
        if self._spending is None:
            return
        try:
            self._spending.spend(
                tokens=(usage.input_tokens or 0) + (usage.output_tokens or 0),
                usd=max(0.0, (cost_usd or 0.0) - self._charged_usd),
            )
        except SecurityError as over:
            logger.debug("the budget is spent: %s", over)
        self._charged_usd = max(self._charged_usd, cost_usd or 0.0)

    def degraded(self, way: Degradation, model: str | None) -> None:
        """The answer is not that of the model that was asked."""
        self.update("degraded", way=way, model=model)
        self.request.set_attribute(names.SPANDECK_DEGRADED, way)
        self.request.set_attribute(names.SPANDECK_DEGRADED_FROM_MODEL, model)

    def _work(self) -> Steps:
        self._check()
        model = self._route()
        self.update("cache")
        hit = yield from self.look_up(model)
        if hit is not None:
            if self.streaming:
                (yield Emit(hit.value)).get()
            return Outcome(self._result(hit.value, Spoken(model=model), hit))
        outcome = yield from self._tries.answer(model)
        self._count_retries()
        if outcome.error is not None:
            return outcome
        return (yield from self._finish(model, outcome.value))

    def _check(self) -> None:
        """Raises `SecurityError` before anything else happens where the guard blocks the task."""
        guard = self.agent.guard
        if guard is None:
            return
        self.update("guard")
        with self.request.current():
            self._verdict = guard.check(self.ask.task, source="user")
        if self._verdict.action == "block":
            raise SecurityError(self._verdict.reason, "injection", _rules(self._verdict))

    def _route(self) -> str | None:
        """The model: the one that was named, else the router's; None for a function that is not told it.

        Worked out before the cache is asked, as the cache's key holds it.
        """
        if not self.ask.takes_model:
            return None
        named = self.ask.options.get("model")
        if isinstance(named, str):
            return named
        if self.agent.router is None:
            return self.agent.model
        self.update("route", complexity=self.ask.complexity)
        with self.request.current():
            return self.agent.router.pick(self.ask.task, self.ask.complexity).model

    def _finish(self, model: str | None, spoken: Spoken) -> Steps:
        self.update("sanitize")
        text = spoken.answer.text if spoken.answer is not None else None
        value = self._sanitized(spoken.raw if text is None else text)
        self._moderate(value)
        if self.streaming:
            rest = "" if self._redactor is None else self._redactor.close()
            if spoken.degraded is not None and not spoken.emitted:
                rest = value
            if rest:
                (yield Emit(rest)).get()
        if self._may_store(spoken, value):
            yield from self._store(model, value)
        return Outcome(self._result(value, spoken, None))

    def _may_store(self, spoken: Spoken, value: Any) -> bool:
        reasons = spoken.answer.finish_reasons if spoken.answer is not None else None
        return (
            self.agent.cache is not None
            and isinstance(value, str | list | dict)
            and spoken.degraded is None
            and not self.has_side_effects
            and not _BROKEN_OFF.intersection(reasons or ())
        )

    def _store(self, model: str | None, value: Any) -> Generator[Effect, Outcome, None]:
        cache = self.agent.cache
        if cache is None:
            return
        self.update("store")
        put = getattr(cache, "aput", cache.put) if self._asynchronous else cache.put
        key, cost = self._cache_key(model), self.request.cost_usd
        stored = yield Call(self.request.current, lambda: put(list(self.ask.messages), value, cost_usd=cost, **key))
        self._pass_cancellation(stored.error)

    def _result(self, value: Any, spoken: Spoken, hit: HitPort | None) -> AgentResult:
        return AgentResult(
            value=value,
            text=value if isinstance(value, str) else None,
            raw=spoken.raw,
            cached=hit is not None,
            hit=hit,
            verdict=self._verdict,
            model=spoken.model,
            usage=(spoken.answer or Answer()).usage,
            tries=self._tries.count,
            degraded=spoken.degraded,
            cost_usd=self.request.cost_usd,
            trace_id=self.request.trace_id,
            span_id=self.request.span_id,
        )

    def _sanitized(self, value: Any) -> Any:
        """`value` with every text in it redacted; objects of other kinds are the function's own business."""
        if self.agent.guard is None:
            return value
        if isinstance(value, str):
            with self.request.current():
                return self.agent.guard.redact(value).text
        if isinstance(value, list):
            return [self._sanitized(item) for item in value]
        if type(value) is dict:
            return {key: self._sanitized(item) for key, item in value.items()}
        return value

    def _moderate(self, value: Any) -> None:
        """Raises `SecurityError` where the guard's list forbids the answer; of a stream the reader has it by then."""
        moderate = getattr(self.agent.guard, "moderate", None)
        if moderate is None or not isinstance(value, str):
            return
        with self.request.current():
            verdict = moderate(value)
        if verdict.action == "block":
            raise SecurityError(verdict.reason, "moderation", _rules(verdict))

    def _cache_key(self, model: str | None) -> dict[str, Any]:
        options = dict(self.ask.options)
        key = {name: options.pop(name, None) for name in _KEY_OPTIONS}
        options.pop("model", None)
        return {**key, "tenant": self.ask.tenant, "agent": self.agent.name, "model": model, "options": options}

    def _count_retries(self) -> None:
        if self._tries.count > 1:
            self.request.set_attribute(names.SPANDECK_RETRY_COUNT, self._tries.count - 1)

    def _fail(self, error: BaseException) -> None:
        self.request.record_error(error)
        letters = self.agent.dead_letters
        if letters is None or is_cancellation(error) or not isinstance(error, Exception):
            return
        if isinstance(error, SecurityError):
            return
        payload: Mapping[str, object] = {
            "messages": [dict(message) for message in self.ask.messages],
            "complexity": self.ask.complexity,
            "options": dict(self.ask.options),
        }
        failed = (self.request.trace_id, self.request.span_id)
        number = letters.add(self.agent.name, payload, error, span=failed, redact=self._sanitized)
        self.request.set_attribute(names.SPANDECK_DEAD_LETTER_ID, number)

    def _pass_cancellation(self, error: BaseException | None) -> None:
        """What no cache may swallow: the end of the task, or a reader that went away."""
        if error is not None and not isinstance(error, Exception):
            raise error


def _rules(verdict: VerdictPort) -> tuple[str, ...]:
    return tuple(str(getattr(finding, "rule", finding)) for finding in verdict.findings)


def _is_foreign(chunk: Any) -> bool:
    """True for chunks of no SDK, which are the program's own."""
    return (
        not inspect.isclass(chunk) and getattr(chunk, "choices", None) is None and getattr(chunk, "type", None) is None
    )
