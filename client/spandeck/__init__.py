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

__all__ = [
    "Architecture",
    "Cache",
    "Compressed",
    "Hit",
    "Limits",
    "LlmCall",
    "MicroBatch",
    "Request",
    "RequestOptions",
    "Route",
    "Router",
    "SqliteStore",
    "Telemetry",
    "ToolCache",
    "ToolCall",
    "__version__",
    "arun_parallel",
    "compress",
    "configure",
    "request",
    "run_parallel",
]

# Loaded when first asked for: importing spandeck is quick for programs that only report.
_LATER = dict.fromkeys(
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
)


def __getattr__(name: str) -> object:
    """The public names of the parts that are loaded late; raises `AttributeError` for any other."""
    if name not in _LATER:
        raise AttributeError(f"module 'spandeck' has no attribute {name!r}")
    value = getattr(import_module(_LATER[name]), name)
    globals()[name] = value
    return value
