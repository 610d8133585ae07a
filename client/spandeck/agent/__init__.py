"""An agent of yours in production: the run from guard to cache, and the call by name."""

from spandeck.agent.agent import Agent, RunOptions
from spandeck.agent.asking import ModelRequest
from spandeck.agent.production import (
    UnknownAgentError,
    aexecute_production_agent,
    execute_production_agent,
    register,
    registered_agents,
    tool_definition,
    unregister,
)
from spandeck.agent.result import AgentResult, ProductionResult, Update
from spandeck.agent.tools import tool

__all__ = [
    "Agent",
    "AgentResult",
    "ModelRequest",
    "ProductionResult",
    "RunOptions",
    "UnknownAgentError",
    "Update",
    "aexecute_production_agent",
    "execute_production_agent",
    "register",
    "registered_agents",
    "tool",
    "tool_definition",
    "unregister",
]
