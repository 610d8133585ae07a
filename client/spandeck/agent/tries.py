"""The calls of one run: tries with their own spans, other models, an older answer, a canned one."""

import time
from collections.abc import Generator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from spandeck import answers
from spandeck.agent.effects import Call, Effect, Outcome, Sleep
from spandeck.answers import Answer
from spandeck.model_scope import ModelScope
from spandeck.recovery.circuit import CircuitBreaker
from spandeck.recovery.fallback import Degradation, Fallback
from spandeck.recovery.retry import Retry
from spandeck_schema import semantic_conventions as names

if TYPE_CHECKING:
    from spandeck.agent.flow import Flow

_END = object()


@dataclass
class Spoken:
    """What a try gave: the provider's own object, what it tells of itself, and whether chunks were handed out."""

    raw: Any = None
    answer: Answer | None = None
    model: str | None = None
    degraded: Degradation | None = None
    emitted: bool = False


class Tries:
    """Calls the agent's function for one run until it answers or nothing is left to try."""

    def __init__(self, flow: "Flow", retry: Retry, breaker: CircuitBreaker | None, fallback: Fallback | None) -> None:
        self._flow = flow
        self._retry = retry
        self._breaker = breaker
        self._fallback = fallback
        self.count = 0

    def answer(self, model: str | None) -> Generator[Effect, Outcome, Outcome]:
        """The outcome of calling `model`, else of the fallback; its value is a `Spoken`."""
        spoken = Spoken(model=model)
        outcome = yield from self._tries(model, spoken, self._retry)
        fallback = self._fallback
        if outcome.error is None or fallback is None or spoken.emitted or not fallback.when(outcome.error):
            return outcome
        for way in fallback.order:
            degraded = yield from self._degrade(way, model, fallback)
            if degraded is not None:
                self._flow.degraded(way, model)
                return Outcome(degraded)
        return outcome

    def _degrade(
        self, way: Degradation, model: str | None, fallback: Fallback
    ) -> Generator[Effect, Outcome, Spoken | None]:
        if way == "canned_answer":
            if fallback.canned is None:
                return None
            return Spoken(fallback.canned, Answer(text=fallback.canned), degraded=way)
        if way == "stale_cache":
            hit = yield from self._flow.look_up(model, allow_stale=True)
            return None if hit is None else Spoken(hit.value, answers.read(hit.value), model, degraded=way)
        for smaller in fallback.models:
            spoken = Spoken(model=smaller, degraded=way)
            outcome = yield from self._tries(smaller, spoken, Retry(attempts=1))
            if outcome.error is None:
                return spoken
        return None

    def _tries(self, model: str | None, spoken: Spoken, retry: Retry) -> Generator[Effect, Outcome, Outcome]:
        started = time.monotonic()
        for attempt in count(1):
            outcome = yield from self._one_try(model, attempt, spoken)
            if outcome.error is None:
                return Outcome(spoken)
            wait_s = None
            # After the first chunk a second try would say things twice.
            if not spoken.emitted:
                wait_s = retry.wait_s(outcome.error, attempt, time.monotonic() - started)
            if wait_s is None:
                return outcome
            self._flow.update("retry", attempt=attempt, wait_s=wait_s)
            outcome = yield Sleep(wait_s)
            if outcome.error is not None:
                return outcome
        raise AssertionError("tries are counted without end")

    def _one_try(self, model: str | None, attempt: int, spoken: Spoken) -> Generator[Effect, Outcome, Outcome]:
        """One call in a span of its own, within the budget and the circuit of its target."""
        flow = self._flow
        target = (flow.agent.provider, model)
        try:
            flow.charge_step()
            if self._breaker is not None:
                self._breaker.check(target)
        except Exception as refusal:
            return Outcome(error=refusal)
        self.count += 1
        call = self._open(model, attempt)
        flow.update("call", model=model, attempt=attempt)
        outcome = yield Call(flow.around(call), lambda: flow.ask.invoke(model))
        if outcome.error is None and flow.streaming:
            outcome = yield from self._read_stream(call, outcome.value, spoken)
        elif outcome.error is None:
            spoken.raw, spoken.answer = outcome.value, answers.read(outcome.value)
            call.tell(spoken.answer)
            flow.charge_usage(spoken.answer.usage, flow.request.cost_usd)
        if outcome.error is not None:
            call.record_error(outcome.error)
        call.end()
        self._tell_breaker(target, outcome.error)
        return outcome

    def _open(self, model: str | None, attempt: int) -> ModelScope:
        """The span of one try: a model call, or a step where the function is not told the model."""
        flow = self._flow
        if flow.ask.takes_model:
            return flow.request.llm_call(model, stream=flow.streaming or None, attempt=attempt)
        step = flow.request.step(flow.agent.name)
        step.set_attribute(names.SPANDECK_ATTEMPT, attempt)
        return step

    def _read_stream(self, call: ModelScope, chunks: Any, spoken: Spoken) -> Generator[Effect, Outcome, Outcome]:
        """Hand chunks on as they come; once the reader is gone or a chunk fails, the provider's stream is closed."""
        heard = spoken.answer = Answer()
        take = _taker(chunks)
        outcome = yield Call(self._flow.around(call), take)
        while outcome.error is None and outcome.value is not _END:
            chunk, known = outcome.value, len(heard.text or "")
            if answers.hear(heard, chunk):
                call.first_token()
                call.last_token()
                spoken.emitted = True
                outcome = yield from self._flow.hand_on(chunk, (heard.text or "")[known:])
            if outcome.error is None:
                outcome = yield Call(self._flow.around(call), take)
        if outcome.error is not None:
            yield Call(self._flow.around(call), lambda: _close(chunks))
        call.tell(heard)
        self._flow.charge_usage(heard.usage, self._flow.request.cost_usd)
        return outcome

    def _tell_breaker(self, target: tuple[str | None, str | None], error: BaseException | None) -> None:
        if self._breaker is None:
            return
        if error is None:
            self._breaker.succeeded(target)
        elif self._retry.retryable(error):
            self._breaker.failed(target)
        else:
            self._breaker.released(target)


def _taker(chunks: Any) -> Any:
    """A function that gives the next chunk, or `_END`; awaitable for asynchronous chunks."""
    if hasattr(chunks, "__aiter__"):
        source = aiter(chunks)

        async def atake() -> Any:
            return await anext(source, _END)

        return atake
    plain = iter(chunks)
    return lambda: next(plain, _END)


def _close(chunks: Any) -> Any:
    close = getattr(chunks, "aclose", None) or getattr(chunks, "close", None)
    return close() if close is not None else None
