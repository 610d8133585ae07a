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
Needs OpenTelemetry only. Errors of the program pass unchanged; of its own, it raises `ValueError` and `TypeError`
for wrong settings, and in an `Agent` the refusals `SecurityError` and `CircuitOpenError`.
"""

from spandeck.calls import LlmCall, MemoryCall, ToolCall
from spandeck.decorator import observe
from spandeck.limits import Limits
from spandeck.monitoring import AggregateMetrics, Alert, Monitor, monitor
from spandeck.prices import PriceBook, Rate, Rates, Usage
from spandeck.requests import Architecture, Request, RequestOptions
from spandeck.telemetry import Telemetry, configure, request
from spandeck.version import __version__
from spandeck.work import Step

__all__ = [
    "AggregateMetrics",
    "Alert",
    "Architecture",
    "Limits",
    "LlmCall",
    "MemoryCall",
    "Monitor",
    "PriceBook",
    "Rate",
    "Rates",
    "Request",
    "RequestOptions",
    "Step",
    "Telemetry",
    "ToolCall",
    "Usage",
    "__version__",
    "configure",
    "monitor",
    "observe",
    "request",
]
