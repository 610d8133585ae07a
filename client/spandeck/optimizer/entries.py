"""What a cache holds, and what it hands out."""

import copy
from dataclasses import dataclass
from typing import Literal

from spandeck.optimizer.meaning import Meaning

Mode = Literal["exact", "verified", "semantic"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A cached answer.

    `score` is 0 to 1 (1.0 for the exact prompt), `kind` is `exact`, `verified` or `semantic` (`tool` from a
    `ToolCache`), `age_s` seconds since it was stored, `prompt` the prompt it was stored for. `stale` answers are
    older than their time to live and come only where they were allowed. `saved_usd` is what it had cost, None where
    unknown.
    """

    value: object
    score: float
    kind: str
    age_s: float
    prompt: str
    stale: bool = False
    saved_usd: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One stored answer; times are seconds since 1970 UTC. `meaning` is None where only the exact key serves."""

    key: str
    scope: str
    prompt: str
    value: object
    stored_at: float
    expires_at: float
    cost_usd: float | None
    meaning: Meaning | None
    vector: object = None

    def hit(self, score: float, kind: str, now: float) -> Hit:
        """The entry as what the caller gets, its value a copy where it could be changed."""
        age_s = max(0.0, now - self.stored_at)
        return Hit(snapshot(self.value), score, kind, age_s, self.prompt, now >= self.expires_at, self.cost_usd)


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Counts since the cache was made; `shadow_hits` would have been hits, `entries` is what it holds now."""

    lookups: int = 0
    hits: int = 0
    shadow_hits: int = 0
    evictions: int = 0
    entries: int = 0


def snapshot(value: object) -> object:
    """`value`, copied where it is a list or dict, so that neither side can change what the other holds."""
    return copy.deepcopy(value) if isinstance(value, list | dict) else value
