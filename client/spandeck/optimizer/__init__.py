"""The optimizer: fewer, cheaper and shorter calls, with every decision on the span and none by likeness alone.

A cache for answers and one for tool results, a model router, compression, micro-batches and parallel tool calls.
Standard library and OpenTelemetry only; numpy and a model only for `Cache(mode="semantic", embedder=...)`.
"""

from spandeck.optimizer.batching import MicroBatch
from spandeck.optimizer.cache import Cache
from spandeck.optimizer.compression import Compressed, compress
from spandeck.optimizer.entries import CacheStats, Hit
from spandeck.optimizer.parallel import Outcome, arun_parallel, run_parallel
from spandeck.optimizer.router import ModelPicker, Route, Router
from spandeck.optimizer.semantic import Embedder
from spandeck.optimizer.stores import SqliteStore, Store
from spandeck.optimizer.tool_cache import ToolCache, ToolPolicy

__all__ = [
    "Cache",
    "CacheStats",
    "Compressed",
    "Embedder",
    "Hit",
    "MicroBatch",
    "ModelPicker",
    "Outcome",
    "Route",
    "Router",
    "SqliteStore",
    "Store",
    "ToolCache",
    "ToolPolicy",
    "arun_parallel",
    "compress",
    "run_parallel",
]
