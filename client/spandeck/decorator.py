"""`@observe`: a function becomes a request, a step, a tool or a model call, whatever kind of function it is."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal, ParamSpec, TypeVar, overload

from spandeck.calls import LlmCall, ToolCall
from spandeck.scope import Scope, ambient
from spandeck.telemetry import origin_here, request
from spandeck.work import Step, Work

Kind = Literal["agent", "tool", "model", "step"]
KINDS: tuple[Kind, ...] = ("agent", "tool", "model", "step")

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@overload
def observe(function: Callable[_Parameters, _Result], /) -> Callable[_Parameters, _Result]: ...


@overload
def observe(
    *, name: str | None = None, kind: Kind = "agent", model: str | None = None, provider: str | None = None
) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]: ...


def observe(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    kind: Kind = "agent",
    model: str | None = None,
    provider: str | None = None,
) -> Any:
    """Record each call of a function: `@observe`, or `@observe(kind="model", model="claude-sonnet-4-5")`.

    Takes plain and `async` functions, generators and asynchronous generators; results, errors and laziness stay.
    `kind` is `agent` (a request), `tool`, `model` (a call whose answer is read where it is one of an SDK) or
    `step`; a model call or a step stands in the request that is open, and in one of its own where none is. Raises
    `ValueError` for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"Kind {kind!r} is unknown: use one of {', '.join(KINDS)}.")

    def decorate(decorated: Callable[..., Any]) -> Callable[..., Any]:
        def start() -> Scope:
            return _start(name or decorated.__name__, kind, model, provider)

        return _wrapped(decorated, start)

    return decorate if function is None else decorate(function)


def _start(name: str, kind: Kind, model: str | None, provider: str | None) -> Scope:
    match kind:
        case "agent":
            return request(name, model=model, provider=provider)
        case "tool":
            return ToolCall(origin_here(), name, None)
        case "model":
            return LlmCall(origin_here(), model, provider, None)
    _, outer = ambient()
    return outer.step(name) if isinstance(outer, Work) else Step(origin_here(), name, 1)


def _wrapped(function: Callable[..., Any], start: Callable[[], Scope]) -> Callable[..., Any]:
    wrap = functools.wraps(function)
    if inspect.isasyncgenfunction(function):

        @wrap
        async def chunks_later(*arguments: Any, **named: Any) -> AsyncIterator[Any]:
            with start() as scope:
                made = function(*arguments, **named)
                async for chunk in scope.astream(made) if isinstance(scope, LlmCall) else made:
                    yield chunk

        return chunks_later
    if inspect.isgeneratorfunction(function):

        @wrap
        def chunks(*arguments: Any, **named: Any) -> Iterator[Any]:
            with start() as scope:
                made = function(*arguments, **named)
                yield from scope.stream(made) if isinstance(scope, LlmCall) else made

        return chunks
    if inspect.iscoroutinefunction(function):

        @wrap
        async def later(*arguments: Any, **named: Any) -> Any:
            with start() as scope:
                return _answered(scope, await function(*arguments, **named))

        return later

    @wrap
    def call(*arguments: Any, **named: Any) -> Any:
        with start() as scope:
            return _answered(scope, function(*arguments, **named))

    return call


def _answered(scope: Scope, answer: Any) -> Any:
    if isinstance(scope, LlmCall):
        scope.answer(answer)
    return answer
