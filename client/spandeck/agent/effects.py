"""What a flow asks of the world, and the drivers that do it: plain, asynchronous, and streaming.

A flow is a generator of effects that gets an `Outcome` for each: written once, it serves threads and event loops
alike. Errors travel as values, so that the program's own ones (`StopIteration` too) pass unchanged.
"""

import asyncio
import inspect
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """A value, or the error that came in its place."""

    value: Any = None
    error: BaseException | None = None

    def get(self) -> Any:
        """The value; raises the error, as it is."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True)
class Call:
    """Call `function` inside `around()`, and await there what it returns where that can be awaited."""

    around: Callable[[], AbstractContextManager[object]]
    function: Callable[[], Any]


@dataclass(frozen=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class Emit:
    """Hand a chunk to the reader; the outcome is an error where the reader goes away."""

    chunk: Any


Effect = Call | Sleep | Emit
Steps = Generator[Effect, Outcome, Outcome]


class _Flow:
    """Steps that are being driven; `final` is their outcome once they have ended."""

    final: Outcome

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def after(self, outcome: Outcome | None) -> Effect | None:
        """What they ask next, given the outcome of what they asked before; None at their end."""
        try:
            return self._steps.send(outcome) if outcome else next(self._steps)
        except StopIteration as end:
            self.final = end.value
            return None


def run(steps: Steps) -> Any:
    """Drive `steps` in this thread; their value, or their error raised."""
    flow, outcome = _Flow(steps), None
    while effect := flow.after(outcome):
        outcome = _perform(effect)
    return flow.final.get()


async def arun(steps: Steps) -> Any:
    """As `run`, awaiting what can be awaited."""
    flow, outcome = _Flow(steps), None
    while effect := flow.after(outcome):
        outcome = await _aperform(effect)
    return flow.final.get()


def stream(steps: Steps) -> Generator[Any]:
    """Drive `steps` and yield what they emit; closing it early lets them clean up first."""
    flow, outcome = _Flow(steps), None
    while effect := flow.after(outcome):
        if isinstance(effect, Emit):
            try:
                yield effect.chunk
                outcome = Outcome(True)
            except BaseException as error:
                outcome = Outcome(error=error)
        else:
            outcome = _perform(effect)
    flow.final.get()


async def astream(steps: Steps) -> AsyncGenerator[Any]:
    """As `stream`, awaiting what can be awaited."""
    flow, outcome = _Flow(steps), None
    while effect := flow.after(outcome):
        if isinstance(effect, Emit):
            try:
                yield effect.chunk
                outcome = Outcome(True)
            except BaseException as error:
                outcome = Outcome(error=error)
        else:
            outcome = await _aperform(effect)
    flow.final.get()


def _perform(effect: Effect) -> Outcome:
    try:
        if isinstance(effect, Sleep):
            time.sleep(effect.seconds)
        elif isinstance(effect, Call):
            with effect.around():
                return Outcome(effect.function())
    except BaseException as error:
        return Outcome(error=error)
    return Outcome(True)


async def _aperform(effect: Effect) -> Outcome:
    try:
        if isinstance(effect, Sleep):
            await asyncio.sleep(effect.seconds)
        elif isinstance(effect, Call):
            with effect.around():
                value = effect.function()
                return Outcome(await value if inspect.isawaitable(value) else value)
    except BaseException as error:
        return Outcome(error=error)
    return Outcome(True)
