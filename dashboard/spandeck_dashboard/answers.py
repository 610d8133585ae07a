"""Answers beyond the one that is asked for: those on their way, and the last ones while the collector is away."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pandas as pd

Parameter = str | int | float | bool | datetime | None
Question = tuple[str, tuple[tuple[str, Parameter], ...]]
"""The name of a query and its parameters as they are sent, sorted."""

_LAST_GOOD_LIMIT = 256
# The store answers four questions at once; one turn is left for others.
_AHEAD_AT_ONCE = 3


class Ahead:
    """Answers that are on their way before they are asked for."""

    def __init__(self, answer: Callable[..., pd.DataFrame], keep_s: float) -> None:
        """`answer` takes a question; an answer that was had within `keep_s` is not asked for again."""
        self._answer = answer
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_AHEAD_AT_ONCE, "ask-ahead")
        self._begun: dict[Question, tuple[float, Future[pd.DataFrame]]] = {}
        self._asked: OrderedDict[Question, float] = OrderedDict()

    def begin(self, question: Question) -> None:
        """Ask now, unless the answer is on its way or was had within the time that it is kept."""
        now = time.monotonic()
        with self._lock:
            if now - self._asked.get(question, -self._keep_s) < self._keep_s:
                return
            self._asked[question] = now
            self._begun = {known: value for known, value in self._begun.items() if now - value[0] < self._keep_s}
            self._begun[question] = (now, self._threads.submit(self._answer, *question))
            while len(self._asked) > _LAST_GOOD_LIMIT:
                self._asked.popitem(last=False)

    def take(self, question: Question) -> Future[pd.DataFrame] | None:
        """The answer that is on its way; each is handed out once."""
        with self._lock:
            begun = self._begun.pop(question, None)
            self._asked[question] = time.monotonic()
        return begun[1] if begun else None

    def clear(self) -> None:
        """Forget what was asked."""
        with self._lock:
            self._begun.clear()
            self._asked.clear()


class LastGood:
    """The latest answer to each question, to be shown while the collector is away."""

    def __init__(self) -> None:
        self._frames: OrderedDict[Any, pd.DataFrame] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: Any, frame: pd.DataFrame) -> None:
        """Keep an answer instead of the one before."""
        with self._lock:
            self._frames[key] = frame
            self._frames.move_to_end(key)
            while len(self._frames) > _LAST_GOOD_LIMIT:
                self._frames.popitem(last=False)

    def get(self, key: Any) -> pd.DataFrame | None:
        """The latest answer, None where there was none."""
        with self._lock:
            return self._frames.get(key)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._frames.clear()
