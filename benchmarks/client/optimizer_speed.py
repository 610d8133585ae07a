"""What a lookup, a route and a compression take: CPU of the thread, median and 99th percentile of many calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from benchmarks.client.figures import Figure
from spandeck import Cache, Router, ToolCache, compress

_ENTRIES = 1_000
_RUNS = 2_000


def measure() -> list[Figure]:
    cache = Cache(max_entries=_ENTRIES)
    for number in range(_ENTRIES):
        cache.put(f"How do I change setting {number} of the module m{number % 37} in the admin panel?", "answer")
    tools = ToolCache(default_ttl=3_600)
    tools.put("find_order", {"id": 7, "fields": ["state", "date"]}, {"state": "open"})
    numbers = count(_ENTRIES)
    long = " ".join(f"Note {at} tells you that the panel of module m{at} changed." for at in range(22))[:1_024]
    page = "The harbour ledger of the north window was painted before the market came, said the teacher. " * 90
    lookups: dict[str, Callable[[], object]] = {
        "cache, exact hit": lambda: cache.get("How do I change setting 5 of the module m5 in the admin panel?"),
        "cache, verified hit": lambda: cache.get("In the admin panel, how can I change setting 5 of the module m5?"),
        "cache, miss of 70 characters among 1,000": lambda: cache.get(
            "How do I drop setting 5 of module m5 in the panel?"
        ),
        "cache, miss of 400 characters, the longest with rules": lambda: cache.get(long[:400]),
        "cache, miss of 1 KB": lambda: cache.get(long),
        "cache, put of 70 characters": lambda: cache.put(f"How do I set option {next(numbers)} of the panel?", "x"),
        "tool cache, hit": lambda: tools.get("find_order", {"id": 7, "fields": ["state", "date"]}),
        "router, estimate of 1 KB": lambda: Router().pick(long),
        "compress, below the limit": lambda: compress(long, "panel"),
    }
    figures = [figure for name, call in lookups.items() for figure in _figures(name, call, _RUNS)]
    return [*figures, *_figures("compress, 8 KB by query to 2 KB", lambda: compress(page, "ledger", 2_048), 100)]


def _figures(name: str, call: Callable[[], object], runs: int) -> list[Figure]:
    times_us = sorted(_timed_us(call) for _ in range(runs))
    median, highest = times_us[runs // 2], times_us[runs * 99 // 100]
    return [Figure(f"{name}: median", median, "us", runs), Figure(f"{name}: p99", highest, "us", runs)]


def _timed_us(call: Callable[[], object]) -> float:
    began = time.thread_time_ns()
    call()
    return (time.thread_time_ns() - began) / 1_000
