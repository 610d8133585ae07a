"""Agents by name, and the one call that runs any of them in production."""

from collections.abc import Callable
from typing import Any, Literal

from spandeck.agent.agent import Agent
from spandeck.agent.result import AgentResult, ProductionResult, Update

TOOL_NAME = "execute_production_agent"
_COMPLEXITIES = ("simple", "medium", "complex")

_agents: dict[str, Agent] = {}


class UnknownAgentError(LookupError):
    """No agent of this name was registered."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        listed = ", ".join(repr(other) for other in known) if known else "none"
        super().__init__(f"Agent {name!r} is unknown. Registered are: {listed}. Add it with spandeck.register(agent).")
        self.name = name
        self.known = known

    def __str__(self) -> str:
        return str(self.args[0])


def register(agent: Agent) -> Agent:
    """Let `execute_production_agent` find `agent` by its name; a later agent of the same name replaces it."""
    _agents[agent.name] = agent
    return agent


def unregister(name: str) -> None:
    """Forget the agent of this name, if there is one."""
    _agents.pop(name, None)


def registered_agents() -> tuple[str, ...]:
    """The names of the registered agents, in order of the alphabet."""
    return tuple(sorted(_agents))


def execute_production_agent(
    agent: str | Agent,
    task: str,
    complexity: str | None = "medium",
    *,
    on_update: Callable[[Update], object] | None = None,
    **run: Any,
) -> ProductionResult:
    """Run `agent` (a registered name or an `Agent`) on `task`: guard, cache, route, call, record, sanitize, store.

    Returns `result` (redacted), `cached`, `metrics` of this process and `trace_id`. `complexity` is `simple`,
    `medium` or `complex`; `run` are further `RunOptions`. Raises `UnknownAgentError` that lists the names known,
    `SecurityError` where guard or budget refuse, before any call of the model where the task is the reason,
    `CircuitOpenError`, and unchanged whatever the agent's function raises.
    """
    found = _find(agent)
    done = found.run(task=task, complexity=complexity, on_update=on_update, **run)
    return _result(found, done)


async def aexecute_production_agent(
    agent: str | Agent,
    task: str,
    complexity: str | None = "medium",
    *,
    on_update: Callable[[Update], object] | None = None,
    **run: Any,
) -> ProductionResult:
    """As `execute_production_agent`, for agents with an asynchronous function; a cancelled task is recorded so."""
    found = _find(agent)
    done = await found.arun(task=task, complexity=complexity, on_update=on_update, **run)
    return _result(found, done)


def tool_definition(style: Literal["json_schema", "openai", "anthropic"] = "json_schema") -> dict[str, Any]:
    """`execute_production_agent` as a tool for a model, with the agents registered now.

    `json_schema` has `parameters`, `openai` is a function tool of chat completions, `anthropic` has
    `input_schema`. Raises `ValueError` for another style.
    """
    parameters = {
        "type": "object",
        "properties": {
            "agent": {"type": "string", "description": "Name of the agent.", **_enumerated()},
            "task": {"type": "string", "description": "What the agent shall do."},
            "complexity": {"type": "string", "enum": list(_COMPLEXITIES), "default": "medium"},
        },
        "required": ["agent", "task"],
        "additionalProperties": False,
    }
    head = {"name": TOOL_NAME, "description": "Run an agent with monitoring, caching, routing and security checks."}
    match style:
        case "json_schema":
            return {**head, "parameters": parameters}
        case "openai":
            return {"type": "function", "function": {**head, "parameters": parameters}}
        case "anthropic":
            return {**head, "input_schema": parameters}
    raise ValueError(f"Style {style!r} is unknown: use json_schema, openai or anthropic.")


def _enumerated() -> dict[str, list[str]]:
    return {"enum": list(registered_agents())} if _agents else {}


def _find(agent: str | Agent) -> Agent:
    if isinstance(agent, Agent):
        return agent
    if agent not in _agents:
        raise UnknownAgentError(agent, registered_agents())
    return _agents[agent]


def _result(agent: Agent, done: AgentResult) -> ProductionResult:
    metrics = agent.monitor.get_aggregate_metrics()
    return ProductionResult(result=done.value, cached=done.cached, metrics=metrics, trace_id=done.trace_id)
