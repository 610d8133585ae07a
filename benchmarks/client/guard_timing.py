"""What the guard takes of a CPU, by the size of the text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from benchmarks.client.figures import Figure

_REPEATS = 5


def ms_per_kb(name: str, work: Callable[[str], object], texts: Sequence[str]) -> Figure:
    """CPU time of `work` over all `texts`, the best of five, by their size; bound 1 ms per 1,024 characters."""
    work(texts[0])
    seconds = min(_seconds(work, texts) for _ in range(_REPEATS))
    return Figure(name, seconds * 1e3 / (sum(map(len, texts)) / 1024), "ms/KB", len(texts), bound=1)


def _seconds(work: Callable[[str], object], texts: Sequence[str]) -> float:
    started = time.thread_time()
    for text in texts:
        work(text)
    return time.thread_time() - started
