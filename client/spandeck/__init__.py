"""Spandeck's client: tells what an LLM agent does, as OpenTelemetry GenAI spans, without ever hurting it.

```python
import spandeck

spandeck.configure(service_name="support-desk")
with spandeck.request("support", session_id="s-1", provider="anthropic") as req:
    with req.llm_call(model="claude-sonnet-4-5") as call:
        for chunk in call.stream(answer):
            ...
    with req.tool_call("find_order") as tool:
        tool.ok()
```
Or let it run the agent: `spandeck.Agent("support", client.messages.create).run("Where is my order?")`.
Needs OpenTelemetry only. Errors of the program pass unchanged; of its own it raises `ValueError` and `TypeError` for
wrong settings, `UnknownAgentError`, and the refusals `SecurityError` and `CircuitOpenError`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from spandeck.calls import LlmCall, MemoryCall, ToolCall
from spandeck.decorator import observe
from spandeck.limits import Limits
from spandeck.monitoring import AggregateMetrics, Alert, Monitor, monitor
from spandeck.prices import PriceBook, Rate, Rates, Usage
from spandeck.requests import Architecture, Request, RequestOptions
from spandeck.telemetry import Telemetry, configure, memory, request
from spandeck.version import __version__
from spandeck.work import Step

if TYPE_CHECKING:
    from spandeck.agent import (
        Agent,
        AgentResult,
        ModelRequest,
        ProductionResult,
        UnknownAgentError,
        Update,
        aexecute_production_agent,
        execute_production_agent,
        register,
        registered_agents,
        tool,
        tool_definition,
    )
    from spandeck.frames import QueryError, query
    from spandeck.guard import Budget, Guard, Permissions, SecurityError, validate_input, validate_output
    from spandeck.optimizer import (
        Cache,
        Compressed,
        Hit,
        MicroBatch,
        Route,
        Router,
        SqliteStore,
        ToolCache,
        arun_parallel,
        compress,
        run_parallel,
    )
    from spandeck.recovery import CircuitBreaker, CircuitOpenError, DeadLetter, DeadLetters, Fallback, Retry

__all__ = [
    "Agent",
    "AgentResult",
    "AggregateMetrics",
    "Alert",
    "Architecture",
    "Budget",
    "Cache",
    "CircuitBreaker",
    "CircuitOpenError",
    "Compressed",
    "DeadLetter",
    "DeadLetters",
    "Fallback",
    "Guard",
    "Hit",
    "Limits",
    "LlmCall",
    "MemoryCall",
    "MicroBatch",
    "ModelRequest",
    "Monitor",
    "Permissions",
    "PriceBook",
    "ProductionResult",
    "QueryError",
    "Rate",
    "Rates",
    "Request",
    "RequestOptions",
    "Retry",
    "Route",
    "Router",
    "SecurityError",
    "SqliteStore",
    "Step",
    "Telemetry",
    "ToolCache",
    "ToolCall",
    "UnknownAgentError",
    "Update",
    "Usage",
    "__version__",
    "aexecute_production_agent",
    "arun_parallel",
    "compress",
    "configure",
    "execute_production_agent",
    "memory",
    "monitor",
    "observe",
    "query",
    "register",
    "registered_agents",
    "request",
    "run_parallel",
    "tool",
    "tool_definition",
    "validate_input",
    "validate_output",
]

# Loaded when first asked for: importing spandeck is quick for programs that only report.
_LATE = {
    **dict.fromkeys(
        (
            "Agent",
            "AgentResult",
            "ModelRequest",
            "ProductionResult",
            "UnknownAgentError",
            "Update",
            "aexecute_production_agent",
            "execute_production_agent",
            "register",
            "registered_agents",
            "tool",
            "tool_definition",
        ),
        "spandeck.agent",
    ),
    **dict.fromkeys(
        ("Budget", "Guard", "Permissions", "SecurityError", "validate_input", "validate_output"), "spandeck.guard"
    ),
    **dict.fromkeys(("QueryError", "query"), "spandeck.frames"),
    **dict.fromkeys(
        (
            "Cache",
            "Compressed",
            "Hit",
            "MicroBatch",
            "Route",
            "Router",
            "SqliteStore",
            "ToolCache",
            "arun_parallel",
            "compress",
            "run_parallel",
        ),
        "spandeck.optimizer",
    ),
    **dict.fromkeys(
        ("CircuitBreaker", "CircuitOpenError", "DeadLetter", "DeadLetters", "Fallback", "Retry"), "spandeck.recovery"
    ),
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
