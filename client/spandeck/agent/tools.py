"""Tools of an agent: a decorator that records, permits, checks and caches the calls of a function."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, overload

from spandeck.agent import effects
from spandeck.agent.effects import Call, Outcome, Steps
from spandeck.agent.flow import Flow
from spandeck.attributes import logger
from spandeck.calls import ToolCall
from spandeck.guard.errors import SecurityError
from spandeck.guard.schema_check import Schema, require_valid
from spandeck.optimizer.tool_cache import ToolCache
from spandeck.telemetry import origin_here
from spandeck.work import arguments_hash

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

# One for the process, so that a tool with side effects can drop what others told.
tool_cache = ToolCache()


@dataclass(frozen=True)
class _Spec:
    """What a tool declares."""

    name: str
    function: Callable[..., Any]
    permission: str | None
    schema: Schema | None
    output_schema: Schema | None
    side_effects: bool
    untrusted: bool


@overload
def tool(function: Callable[_Parameters, _Result], /) -> Callable[_Parameters, _Result]: ...


@overload
def tool(
    *,
    name: str | None = None,
    permission: str | None = None,
    schema: Schema | None = None,
    output_schema: Schema | None = None,
    cache_ttl: float | None = None,
    side_effects: bool = False,
    untrusted: bool = False,
) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    permission: str | None = None,
    schema: Schema | None = None,
    output_schema: Schema | None = None,
    cache_ttl: float | None = None,
    side_effects: bool = False,
    untrusted: bool = False,
) -> Any:
    """Make a function, plain or `async`, a tool: `@tool` or `@tool(permission="orders.read", cache_ttl=300)`.

    Each call is a span `execute_tool {name}` below what is open, and within the run of an agent a step of its
    budget. `permission` must then be granted by the agent's `permissions`. `schema` (JSON Schema, pydantic model or
    names with types) checks the arguments, or the single argument where that is a mapping or a model;
    `output_schema` the result. `cache_ttl` is seconds that a result may be told again; a tool with `side_effects`
    is never cached, nor is the answer of its run. Text from an `untrusted` tool, such as a web page, is checked by
    the guard and taints the run. Results and errors pass unchanged; refusals are `SecurityError`. Raises
    `ValueError` for `cache_ttl` with `side_effects`.
    """
    if function is None:
        options: dict[str, Any] = {
            "name": name,
            "permission": permission,
            "schema": schema,
            "output_schema": output_schema,
            "cache_ttl": cache_ttl,
            "side_effects": side_effects,
            "untrusted": untrusted,
        }
        return functools.partial(_decorate, **options)
    return _decorate(function)


def _decorate(
    function: Callable[..., Any], *, name: str | None = None, cache_ttl: float | None = None, **options: Any
) -> Callable[..., Any]:
    defaults = {"permission": None, "schema": None, "output_schema": None, "side_effects": False, "untrusted": False}
    spec = _Spec(name or function.__name__, function, **(defaults | options))
    tool_cache.declare(spec.name, ttl=cache_ttl, side_effects=spec.side_effects)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def acall(*arguments: Any, **named: Any) -> Any:
            return await effects.arun(_steps(spec, arguments, named, asynchronous=True))

        return acall

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        return effects.run(_steps(spec, arguments, named, asynchronous=False))

    return call


def _steps(spec: _Spec, arguments: tuple[Any, ...], named: dict[str, Any], *, asynchronous: bool) -> Steps:
    """One call in its span: the outcome is the function's own, or a refusal."""
    given = _given(spec.function, arguments, named)
    span = ToolCall(origin_here(), spec.name, None, arguments_hash=arguments_hash(given))
    run = span.origin.run if isinstance(span.origin.run, Flow) else None
    try:
        outcome = yield from _permitted(spec, span, run, given, asynchronous=asynchronous)
        if outcome.error is None:
            call = functools.partial(spec.function, *arguments, **named)
            outcome = yield _work(spec, span, run, given, function=call, asynchronous=asynchronous)
        if outcome.error is None:
            _check_result(spec, run, outcome.value)
    except Exception as refusal:
        outcome = Outcome(error=refusal)
    if outcome.error is None:
        span.ok()
    else:
        span.record_error(outcome.error)
    span.end()
    return outcome


def _permitted(spec: _Spec, span: ToolCall, run: Flow | None, given: Mapping[str, Any], *, asynchronous: bool) -> Steps:
    """Budget, permission and schema, in this order; the outcome or an exception refuses."""
    if run is not None:
        run.charge_step()
        run.has_side_effects |= spec.side_effects
    if spec.schema is not None:
        require_valid(spec.schema, _validated(given), f"Input of {spec.name}")
    if run is None or spec.permission is None:
        return Outcome()
    permissions = run.agent.permissions
    if permissions is None:
        raise SecurityError(
            f"Tool {spec.name} needs the permission {spec.permission!r} and agent {run.agent.name!r} has none: "
            "give it Agent(permissions=...)",
            "permission",
            (spec.permission,),
        )
    ask = permissions.aauthorize if asynchronous else permissions.authorize
    permission = spec.permission
    return (yield Call(span.current, lambda: ask(permission, given, tainted=run.is_tainted)))


def _work(
    spec: _Spec,
    span: ToolCall,
    run: Flow | None,
    given: Mapping[str, Any],
    *,
    function: Callable[[], Any],
    asynchronous: bool,
) -> Call:
    """The call itself, or a result told before."""
    around = span.current if run is None else run.around(span)
    if tool_cache.policy(spec.name).ttl is None and not spec.side_effects:
        return Call(around, function)
    told = tool_cache.acall if asynchronous else tool_cache.call
    tenant = None if run is None else run.ask.tenant
    return Call(around, lambda: told(spec.name, dict(given), function, tenant=tenant))


def _check_result(spec: _Spec, run: Flow | None, result: Any) -> None:
    if spec.output_schema is not None:
        require_valid(spec.output_schema, result, f"Output of {spec.name}")
    if not spec.untrusted or run is None:
        return
    run.is_tainted = True
    if run.agent.guard is not None and isinstance(result, str):
        verdict = run.agent.guard.check(result, source=f"tool:{spec.name}")
        if verdict.action == "block":
            raise SecurityError(f"Output of {spec.name}: {verdict.reason}", "injection")


def _given(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name; where they do not fit, the function itself will say so."""
    try:
        bound = inspect.signature(function).bind(*arguments, **named)
    except (TypeError, ValueError):
        logger.debug("the arguments of %r do not fit", function)
        return dict(named)
    return dict(bound.arguments)


def _validated(given: Mapping[str, Any]) -> Any:
    """What the schema is about: a single argument that is a mapping or a model, else all by name."""
    values = list(given.values())
    if len(values) == 1 and (isinstance(values[0], Mapping) or hasattr(values[0], "model_fields_set")):
        return values[0]
    return dict(given)
