"""What a cache holds in memory: bounded, least recently used first out, with the indexes over it."""

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING

from spandeck.attributes import logger
from spandeck.optimizer.entries import Entry
from spandeck.optimizer.keys import Question
from spandeck.optimizer.matching import Accepts, Nearest, WordIndex
from spandeck.optimizer.meaning import Meaning, understand
from spandeck.optimizer.process_lock import ProcessLock
from spandeck.optimizer.semantic import VectorIndex

if TYPE_CHECKING:
    from spandeck.optimizer.semantic import Vector


class Asked:
    """A question with what is worked out about it at most once, and only where it is needed."""

    def __init__(self, question: Question, vectors: VectorIndex | None) -> None:
        self.question = question
        self._vectors = vectors

    @cached_property
    def meaning(self) -> Meaning | None:
        """The meaning of the text; None where only the exact key may serve."""
        return understand(self.question.text) if self.question.wordable else None

    @cached_property
    def vector(self) -> "Vector | None":
        """The vector of the text; None without a model, or where the model failed."""
        if self._vectors is None or self.meaning is None:
            return None
        try:
            return self._vectors.encode(self.question.text)
        except Exception:
            logger.debug("the embedding model failed; the cache goes on without it", exc_info=True)
            return None


class Holdings:
    """Entries by key, safe between threads. `vectors` is None but in the semantic mode."""

    def __init__(self, max_entries: int, vectors: VectorIndex | None) -> None:
        self.eviction_count = 0
        self._max_entries = max_entries
        self._vectors = vectors
        self._words = WordIndex()
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = ProcessLock()

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)

    def exact(self, key: str) -> Entry | None:
        """The entry under `key`, fresh or not."""
        with self._lock:
            return self._entries.get(key)

    def used(self, entry: Entry) -> None:
        """`entry` was served: it is now the last to go."""
        with self._lock:
            if entry.key in self._entries:
                self._entries.move_to_end(entry.key)

    def nearest(self, asked: Asked, accepts: Accepts) -> Nearest:
        """The entry that `accepts` and the rules let pass, else the nearest one and why it was refused."""
        if asked.meaning is None:
            return Nearest()
        scope, vector = asked.question.scope, None
        with self._lock:
            by_words = self._words.nearest(scope, asked.meaning, accepts)
        if by_words.entry is not None or self._vectors is None or (vector := asked.vector) is None:
            return by_words
        with self._lock:
            by_vector = self._vectors.nearest(scope, asked.meaning, vector, accepts)
        return by_words if by_vector.score is None else by_vector

    def insert(self, entry: Entry) -> None:
        """Add `entry` in place of what its key had, and let the oldest go above the bound."""
        with self._lock:
            self.remove(entry.key)
            self._entries[entry.key] = entry
            self._words.add(entry)
            if self._vectors is not None:
                self._vectors.add(entry)
            while len(self._entries) > self._max_entries:
                self.remove(next(iter(self._entries)))
                self.eviction_count += 1

    def remove(self, key: str) -> None:
        """Forget the entry under `key`, if there is one."""
        with self._lock:
            if (entry := self._entries.pop(key, None)) is not None:
                self._words.remove(entry)
                if self._vectors is not None:
                    self._vectors.remove(entry)
