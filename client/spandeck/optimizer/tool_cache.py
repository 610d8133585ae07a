"""Results of tools by their arguments: only of tools that were declared, never of those with side effects."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from spandeck.attributes import logger, quietly
from spandeck.optimizer import keys
from spandeck.optimizer.entries import Entry, Hit, snapshot
from spandeck.optimizer.holdings import Holdings
from spandeck.optimizer.process_lock import ProcessLock
from spandeck.optimizer.recording import record
from spandeck.optimizer.single_flight import SingleFlight
from spandeck_schema import semantic_conventions as names

_KIND: Final = "tool"


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """How a tool is cached: for `ttl` seconds, or not at all with None.

    A tool with `side_effects` is never cached, and calling it makes the results of the tools that match the globs
    `invalidates` worthless.
    """

    ttl: float | None
    side_effects: bool = False
    invalidates: tuple[str, ...] = ()


class ToolCache:
    """Tool results by tenant, tool and arguments, for threads, tasks and forked processes alike.

    A tool that was not declared is not cached, unless `default_ttl` seconds say otherwise. What a call raises is
    never cached. Arguments or results that cannot be told apart (no JSON) are simply not cached.
    """

    def __init__(
        self,
        default_ttl: float | None = None,
        max_entries: int = 1_000,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` tells seconds since 1970 UTC. Raises `ValueError` for a setting out of its range."""
        if max_entries < 1:
            raise ValueError(f"max_entries is {max_entries}: a cache keeps at least 1 entry.")
        self._undeclared = ToolPolicy(_checked(default_ttl))
        self._policies: dict[str, ToolPolicy] = {}
        self._holdings = Holdings(max_entries, None)
        self._flights = SingleFlight()
        self._lock = ProcessLock()
        self._epochs: dict[str, int] = {}
        self._clock = clock

    def declare(
        self,
        tool: str,
        *,
        ttl: float | None = None,
        side_effects: bool = False,
        invalidates: Iterable[str] = ("*",),
    ) -> None:
        """Cache the results of `tool` for `ttl` seconds (None: not), or declare that it changes something.

        With `side_effects`, results of the tools that match `invalidates` (by default all) are dropped after each
        `call` or `acall` of it. Raises `ValueError` for a tool with both, or a ttl that is not above 0.
        """
        if side_effects and ttl is not None:
            raise ValueError(f"Tool {tool!r} has side effects and ttl={ttl}: a result of such a tool is never cached.")
        self._policies[tool] = ToolPolicy(_checked(ttl), side_effects, tuple(invalidates) if side_effects else ())

    def policy(self, tool: str) -> ToolPolicy:
        """How `tool` is cached."""
        return self._policies.get(tool, self._undeclared)

    def get(self, tool: str, arguments: object, *, tenant: str | None = None) -> Hit | None:
        """The cached result, or None; recorded on the span that is open where the tool may be cached at all."""
        key = self._key(tool, arguments, tenant)
        return None if key is None else self._found(key)

    def put(self, tool: str, arguments: object, result: object, *, tenant: str | None = None) -> None:
        """Cache `result`, where the tool may be cached; lists and dicts are copied, other values kept."""
        if (key := self._key(tool, arguments, tenant)) is not None:
            self._put(tool, result, key)

    def invalidate(self, pattern: str = "*") -> None:
        """Drop the results of the tools that match the glob `pattern`, those of calls still under way included."""
        with self._lock:
            for tool in self._epochs:
                if fnmatchcase(tool, pattern):
                    self._epochs[tool] += 1

    def call(self, tool: str, arguments: object, run: Callable[[], Any], *, tenant: str | None = None) -> Any:
        """The cached result, else that of `run()`; equal calls at one time run once. What it raises passes."""
        if (key := self._key(tool, arguments, tenant)) is None:
            with self._changes(tool):
                return run()
        if (hit := self._found(key)) is not None:
            return hit.value

        def fill() -> Any:
            if (entry := self._fresh(key)) is not None:
                return entry.value
            result = run()
            self._put(tool, result, key)
            return result

        return snapshot(self._flights.call(key, fill))

    async def acall(
        self, tool: str, arguments: object, run: Callable[[], Awaitable[Any]], *, tenant: str | None = None
    ) -> Any:
        """As `call`, awaiting `run()`."""
        if (key := self._key(tool, arguments, tenant)) is None:
            with self._changes(tool):
                return await run()
        if (hit := self._found(key)) is not None:
            return hit.value

        async def fill() -> Any:
            if (entry := self._fresh(key)) is not None:
                return entry.value
            result = await run()
            self._put(tool, result, key)
            return result

        return snapshot(await self._flights.acall(key, fill))

    def _found(self, key: str) -> Hit | None:
        entry = self._fresh(key)
        expired = entry is None and self._holdings.exact(key) is not None
        hit = None if entry is None else entry.hit(1.0, _KIND, self._clock())
        _record(hit, "expired" if expired else None)
        return hit

    def _fresh(self, key: str) -> Entry | None:
        entry = self._holdings.exact(key)
        if entry is None or self._clock() >= entry.expires_at:
            return None
        self._holdings.used(entry)
        return entry

    @quietly
    def _put(self, tool: str, result: object, key: str) -> None:
        if (ttl := self.policy(tool).ttl) is not None:
            now = self._clock()
            self._holdings.insert(Entry(key, "", tool, snapshot(result), now, now + ttl, None, None))

    def _key(self, tool: str, arguments: object, tenant: str | None) -> str | None:
        """The key of a call that may be cached, in the present epoch of its tool; None of any other call.

        A result that is put under the key of an epoch gone by is never found again.
        """
        if self.policy(tool).ttl is None:
            return None
        with self._lock:
            epoch = self._epochs.setdefault(tool, 0)
        try:
            return keys.digest([tenant, tool, epoch, arguments])
        except (TypeError, ValueError):
            logger.debug("a call of the tool %s has arguments without JSON and is not cached", tool)
            return None

    @contextmanager
    def _changes(self, tool: str) -> Iterator[None]:
        """Whether it ends well or not, a call with side effects may have changed what the other tools tell."""
        try:
            yield
        finally:
            for pattern in self.policy(tool).invalidates:
                self.invalidate(pattern)


def _checked(ttl: float | None) -> float | None:
    if ttl is not None and not ttl > 0:
        raise ValueError(f"ttl is {ttl} s: it must be above 0, or None for a tool that is not cached.")
    return ttl


def _record(hit: Hit | None, rule: str | None) -> None:
    record(
        {
            names.SPANDECK_CACHE_HIT: hit is not None,
            names.SPANDECK_CACHE_KIND: None if hit is None else hit.kind,
            names.SPANDECK_CACHE_AGE_S: None if hit is None else hit.age_s,
            names.SPANDECK_CACHE_REJECT_RULE: rule,
        }
    )
