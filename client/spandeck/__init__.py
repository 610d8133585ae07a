"""Spandeck's client: tells what an LLM agent does, as OpenTelemetry GenAI spans, without ever hurting it.

```python
import spandeck

spandeck.configure(service_name="support-desk")
with spandeck.request("support", session_id="s-1", provider="anthropic") as req:
    with req.llm_call(model="claude-sonnet-4-5") as call:
        for chunk in call.stream(answer):
            ...
        call.usage(input_tokens=900, output_tokens=120)
    with req.tool_call("find_order") as tool:
        tool.ok()
```
Needs OpenTelemetry only. Nothing but `configure` raises; errors of the program pass unchanged.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from spandeck.calls import LlmCall, ToolCall
from spandeck.limits import Limits
from spandeck.monitor import Architecture, Request, RequestOptions
from spandeck.telemetry import Telemetry, configure, request
from spandeck.version import __version__

if TYPE_CHECKING:
    from spandeck.guard import Budget, Guard, Permissions, SecurityError, validate_input, validate_output

__all__ = [
    "Architecture",
    "Budget",
    "Guard",
    "Limits",
    "LlmCall",
    "Permissions",
    "Request",
    "RequestOptions",
    "SecurityError",
    "Telemetry",
    "ToolCall",
    "__version__",
    "configure",
    "request",
    "validate_input",
    "validate_output",
]

# Imported when first asked for, so that `import spandeck` stays quick.
_LATE = {
    "Budget": "spandeck.guard",
    "Guard": "spandeck.guard",
    "Permissions": "spandeck.guard",
    "SecurityError": "spandeck.guard",
    "validate_input": "spandeck.guard",
    "validate_output": "spandeck.guard",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
