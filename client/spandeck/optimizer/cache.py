"""The answer cache: the exact prompt first, then the same question in other words, never similarity alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, get_args

from spandeck.attributes import logger, quietly
from spandeck.optimizer import keys
from spandeck.optimizer.entries import CacheStats, Entry, Hit, Mode, snapshot
from spandeck.optimizer.holdings import Asked, Holdings
from spandeck.optimizer.keys import Prompt
from spandeck.optimizer.matching import Accepts, Nearest
from spandeck.optimizer.process_lock import ProcessLock
from spandeck.optimizer.recording import record
from spandeck.optimizer.semantic import Embedder, VectorIndex
from spandeck.optimizer.shelf import Shelf
from spandeck.optimizer.single_flight import SingleFlight
from spandeck.optimizer.stores import Store
from spandeck.optimizer.verifier import reject_rule
from spandeck_schema import semantic_conventions as names

DEFAULT_TTL_S: Final = 3_600.0
DEFAULT_ENTRIES: Final = 1_000
DEFAULT_THRESHOLD: Final = 0.95
DEFAULT_STALE_S: Final = 86_400.0


class Cache:
    """Answers by prompt, for threads, tasks and forked processes alike; no method raises but what `make` raises.

    `mode="exact"` serves the prompt to the letter; `"verified"` also the same content words where no rule of the
    verifier objects; `"semantic"` also what an embedding model finds near enough and the same rules let pass.
    `ttl` is seconds until an answer is stale; `max_entries` bounds all tenants together, the least recently used
    go first; `keep_stale` is for how many more seconds a stale answer may serve a lookup with `allow_stale=True`.
    With `shadow=True` every lookup misses and the span says what would have been a hit.

    The key, as `put(prompt, value, **key)` and `get(prompt, **key)`: `tenant`, `model`, `system`, `tools`,
    `temperature` (in steps of 0.1) and whatever else of JSON must be equal, such as `user` where answers are
    personal. `prompt` is a text or a list of messages, of which all but the last must be equal. What JSON does not
    have is not cached. Never put the answer of a run that had side effects.
    """

    def __init__(
        self,
        mode: Mode = "verified",
        ttl: float = DEFAULT_TTL_S,
        max_entries: int = DEFAULT_ENTRIES,
        threshold: float = DEFAULT_THRESHOLD,
        *,
        embedder: Embedder | None = None,
        store: Store | None = None,
        shadow: bool = False,
        keep_stale: float = DEFAULT_STALE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`threshold` is the least cosine similarity in the semantic mode, `clock` tells seconds since 1970 UTC.

        Raises `ValueError` for a setting out of its range, or a semantic mode without embedder or numpy.
        """
        _check(mode, ttl, max_entries, threshold, keep_stale)
        self._mode, self._ttl, self._shadow, self._clock = mode, ttl, shadow, clock
        self._keep_stale = keep_stale
        self._vectors = _vectors(embedder, threshold) if mode == "semantic" else None
        self._shelf = None if store is None else Shelf(store, keep_stale)
        self._holdings = Holdings(max_entries, self._vectors)
        self._flights = SingleFlight()
        self._lock = ProcessLock()
        self._counts = {"lookups": 0, "hits": 0, "shadow_hits": 0}

    @property
    def stats(self) -> CacheStats:
        """Counts of this process."""
        with self._lock:
            return CacheStats(**self._counts, evictions=self._holdings.eviction_count, entries=len(self._holdings))

    def get(self, prompt: Prompt, *, allow_stale: bool = False, **key: object) -> Hit | None:
        """The answer to `prompt` under `key`, or None; what was found is recorded on the span that is open.

        `allow_stale` serves answers past their time too, where there is no fresh one: for when the model is away.
        """
        return self._get(prompt, key, allow_stale)

    def put(
        self, prompt: Prompt, value: object, *, ttl: float | None = None, cost_usd: float | None = None, **key: object
    ) -> None:
        """Store `value` as the answer to `prompt` under `key`, for `ttl` seconds where that is not the cache's.

        `cost_usd` is what the answer cost; a hit tells it as saved. Lists and dicts are copied, other values kept.
        """
        self._put(prompt, value, self._ttl if ttl is None else ttl, cost_usd, key)

    @quietly
    def discard(self, /, prompt: Prompt, **key: object) -> None:
        """Forget the answer that was stored for exactly `prompt` (see `Hit.prompt`) under `key`."""
        asked = Asked(keys.question(prompt, key), None)
        self._holdings.remove(asked.question.key)
        if self._shelf is not None:
            self._shelf.remove(asked.question.key, asked.question.scope, self._meaning(asked))

    async def aget(self, prompt: Prompt, *, allow_stale: bool = False, **key: object) -> Hit | None:
        """As `get`; where a file or a model is asked, in another thread."""
        if self._blocks:
            return await asyncio.to_thread(self._get, prompt, key, allow_stale)
        return self._get(prompt, key, allow_stale)

    async def aput(
        self, prompt: Prompt, value: object, *, ttl: float | None = None, cost_usd: float | None = None, **key: object
    ) -> None:
        """As `put`; where a file or a model is asked, in another thread."""
        lives_s = self._ttl if ttl is None else ttl
        if self._blocks:
            await asyncio.to_thread(self._put, prompt, value, lives_s, cost_usd, key)
        else:
            self._put(prompt, value, lives_s, cost_usd, key)

    def get_or_make(self, prompt: Prompt, make: Callable[[], Any], **key: object) -> Any:
        """The cached value, else that of `make()`, which is then cached; equal calls at one time make it once.

        What `make` raises passes to all that wait for it.
        """
        if (hit := self._get(prompt, key)) is not None:
            return hit.value
        if (flight := _flight(prompt, key)) is None:
            return make()

        def fill() -> Any:
            if (entry := self._just_made(flight)) is not None:
                return entry.value
            value = make()
            self._put(prompt, value, self._ttl, None, key)
            return value

        return snapshot(self._flights.call(flight, fill))

    async def aget_or_make(self, prompt: Prompt, make: Callable[[], Awaitable[Any]], **key: object) -> Any:
        """As `get_or_make`, awaiting `make()`."""
        if (hit := await self.aget(prompt, allow_stale=False, **key)) is not None:
            return hit.value
        if (flight := _flight(prompt, key)) is None:
            return await make()

        async def fill() -> Any:
            if (entry := self._just_made(flight)) is not None:
                return entry.value
            value = await make()
            await self.aput(prompt, value, ttl=None, cost_usd=None, **key)
            return value

        return snapshot(await self._flights.acall(flight, fill))

    @property
    def _blocks(self) -> bool:
        return self._shelf is not None or self._vectors is not None

    def _just_made(self, key: str) -> Entry | None:
        """What another call stored under `key` between the lookup of this one and its turn."""
        entry = None if self._shadow else self._holdings.exact(key)
        return entry if entry is not None and self._clock() < entry.expires_at else None

    def _get(self, prompt: Prompt, key: Mapping[str, object], allow_stale: bool = False) -> Hit | None:
        started_s = time.perf_counter()
        try:
            hit, nearest = self._look(Asked(keys.question(prompt, key), self._vectors), allow_stale)
        except Exception:
            logger.debug("a cache lookup failed and counts as a miss", exc_info=True)
            hit, nearest = None, Nearest(rule="error")
        self._count(hit)
        self._record(hit, nearest, time.perf_counter() - started_s)
        return None if self._shadow else hit

    @quietly
    def _put(
        self, prompt: Prompt, value: object, lives_s: float, cost_usd: float | None, key: Mapping[str, object]
    ) -> None:
        asked = Asked(keys.question(prompt, key), self._vectors)
        question, now = asked.question, self._clock()
        entry = Entry(
            question.key,
            question.scope,
            question.text,
            snapshot(value),
            now,
            now + lives_s,
            cost_usd,
            self._meaning(asked),
            asked.vector,
        )
        self._holdings.insert(entry)
        if self._shelf is not None:
            self._shelf.save(entry)

    def _meaning(self, asked: Asked) -> Any:
        return None if self._mode == "exact" else asked.meaning

    def _look(self, asked: Asked, allow_stale: bool) -> tuple[Hit | None, Nearest]:
        now = self._clock()
        nearest = self._find(asked, lambda entry: now < entry.expires_at)
        if nearest.entry is None and allow_stale:
            nearest = self._find(asked, lambda entry: now < entry.expires_at + self._keep_stale)
        if nearest.entry is not None:
            self._holdings.used(nearest.entry)
            return nearest.entry.hit(nearest.score or 0.0, nearest.kind, now), nearest
        if self._holdings.exact(asked.question.key) is not None:
            nearest = Nearest(1.0, None, "expired")
        return None, nearest

    def _find(self, asked: Asked, accepts: Accepts) -> Nearest:
        entry = self._holdings.exact(asked.question.key)
        if entry is None and self._shelf is not None and (entry := self._shelf.exact(asked.question.key)) is not None:
            self._holdings.insert(entry)
        if entry is not None and accepts(entry):
            return Nearest(1.0, entry, None, "exact")
        if self._mode == "exact":
            return Nearest()
        nearest = self._holdings.nearest(asked, accepts)
        return nearest if nearest.entry is not None else self._shelved(asked, accepts) or nearest

    def _shelved(self, asked: Asked, accepts: Accepts) -> Nearest | None:
        if self._shelf is None or asked.meaning is None:
            return None
        entry = self._shelf.same_words(asked.question.scope, asked.meaning)
        if entry is None or entry.meaning is None or not accepts(entry) or reject_rule(entry.meaning, asked.meaning):
            return None
        self._holdings.insert(entry)
        return Nearest(1.0, entry)

    def _count(self, hit: Hit | None) -> None:
        with self._lock:
            self._counts["lookups"] += 1
            if hit is not None:
                self._counts["shadow_hits" if self._shadow else "hits"] += 1

    def _record(self, hit: Hit | None, nearest: Nearest, lookup_s: float) -> None:
        record(
            {
                names.SPANDECK_CACHE_HIT: hit is not None and not self._shadow,
                names.SPANDECK_CACHE_KIND: None if hit is None else hit.kind,
                names.SPANDECK_CACHE_SCORE: nearest.score,
                names.SPANDECK_CACHE_AGE_S: None if hit is None else hit.age_s,
                names.SPANDECK_CACHE_LOOKUP_S: lookup_s,
                names.SPANDECK_CACHE_SAVED_USD: None if hit is None or self._shadow else hit.saved_usd,
                names.SPANDECK_CACHE_REJECT_RULE: nearest.rule,
                names.SPANDECK_CACHE_STALE: True if hit is not None and hit.stale else None,
                names.SPANDECK_CACHE_SHADOW_HIT: hit is not None if self._shadow else None,
            }
        )


def _flight(prompt: Prompt, key: Mapping[str, object]) -> str | None:
    """The key under which equal calls meet; None where the call cannot be told from another."""
    try:
        return keys.question(prompt, key).key
    except Exception:
        return None


def _vectors(embedder: Embedder | None, threshold: float) -> VectorIndex:
    if embedder is None:
        raise ValueError(
            "The semantic mode needs embedder=, an object with encode(texts) -> vectors: give one, or use "
            "mode='verified', which needs no model."
        )
    return VectorIndex(embedder, threshold)


def _check(mode: str, ttl: float, max_entries: int, threshold: float, keep_stale: float) -> None:
    if mode not in get_args(Mode):
        raise ValueError(f"Cache mode {mode!r} is unknown: use one of {', '.join(get_args(Mode))}.")
    if not ttl > 0 or not keep_stale >= 0:
        raise ValueError(
            f"ttl is {ttl} s and keep_stale {keep_stale} s: the first must be above 0, the second not below."
        )
    if max_entries < 1:
        raise ValueError(f"max_entries is {max_entries}: a cache keeps at least 1 entry.")
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}: a cosine similarity above 0 and up to 1 is needed.")
