"""Counts what was refused and why, and tells the store through the journal, at most once a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from spandeck_collector.journal import JournalError, JournalWriter, Signal
from spandeck_collector.receiver.outcomes import Reason

_PAUSE_S = 1.0


@dataclass
class _Refusal:
    count: int = 0
    last_at_ns: int = 0


class Refusals:
    """Refused requests and spans by signal and reason; lives on the event loop.

    A record's body is `{"refusals": [{"signal": "traces" | "metrics" | "logs" | "unknown", "reason": sentence,
    "count": requests or spans, "last_at_ns": Unix ns}]}`. Reasons are fixed sentences of ours, so their number
    is bounded and nothing that a sender wrote is in them.
    """

    def __init__(self, journal: JournalWriter) -> None:
        """Count for `journal`; nothing is written until `run` or `flush`."""
        self._journal = journal
        self._refusals: dict[tuple[str, str], _Refusal] = {}
        self._totals: Counter[tuple[str, str]] = Counter()
        self._changed = asyncio.Event()

    def totals(self) -> Mapping[tuple[str, str], int]:
        """How much was refused since the start, by signal and name of the reason in lower case."""
        return dict(self._totals)

    def count(self, signal: str, reason: Reason, count: int = 1) -> None:
        """Add `count` refusals of `signal`, "unknown" where the request named none."""
        self._totals[signal, reason.name.lower()] += count
        refusal = self._refusals.setdefault((signal, reason.sentence), _Refusal())
        refusal.count += count
        refusal.last_at_ns = time.time_ns()
        self._changed.set()

    async def run(self) -> None:
        """Write what was counted, for ever."""
        while True:
            await self._changed.wait()
            await self.flush()
            await asyncio.sleep(_PAUSE_S)

    async def flush(self) -> None:
        """Write what was counted since the last time; what cannot be written is kept for the next time."""
        self._changed.clear()
        taken, self._refusals = self._refusals, {}
        if taken and not await self._written(taken):
            for key, refusal in taken.items():
                kept = self._refusals.setdefault(key, _Refusal())
                kept.count += refusal.count
                kept.last_at_ns = max(kept.last_at_ns, refusal.last_at_ns)
            self._changed.set()

    async def can_write(self) -> bool:
        """Whether the journal takes a record now, tried with one that tells of no refusal."""
        return await self._written({})

    async def _written(self, refusals: dict[tuple[str, str], _Refusal]) -> bool:
        rows = [
            {"signal": signal, "reason": reason, "count": refusal.count, "last_at_ns": refusal.last_at_ns}
            for (signal, reason), refusal in refusals.items()
        ]
        body = json.dumps({"refusals": rows}).encode()
        try:
            await asyncio.wrap_future(self._journal.submit(Signal.REFUSALS, body, time.time_ns()))
        except JournalError:
            return False
        return True
