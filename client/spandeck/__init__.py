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

from spandeck.calls import LlmCall, MemoryCall, ToolCall
from spandeck.limits import Limits
from spandeck.monitoring import AggregateMetrics, Alert, Monitor, monitor
from spandeck.prices import PriceBook, Rate, Rates, Usage
from spandeck.requests import Architecture, Request, RequestOptions
from spandeck.telemetry import Telemetry, configure, request
from spandeck.version import __version__
from spandeck.work import Step

__all__ = [
    "Architecture",
    "Limits",
    "LlmCall",
    "Request",
    "RequestOptions",
    "Telemetry",
    "ToolCall",
    "__version__",
    "configure",
    "request",
]
