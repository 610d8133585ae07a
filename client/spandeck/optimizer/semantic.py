"""The nearest entry by an embedding model: a candidate finder, which the verifier's rules then judge."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from spandeck.optimizer.entries import Entry
from spandeck.optimizer.matching import Accepts, Nearest
from spandeck.optimizer.meaning import Meaning
from spandeck.optimizer.verifier import reject_rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

_MOST_VERIFIED = 8


@runtime_checkable
class Embedder(Protocol):
    """An embedding model. Called outside any lock, from any thread; may raise: the cache then goes on without it."""

    def encode(self, texts: list[str]) -> Any:
        """One vector a text, all of one length: a list of lists of floats or a two-dimensional array."""


class VectorIndex:
    """Entries by their vectors, one matrix a scope. Not thread-safe: the cache holds its lock around every call."""

    def __init__(self, embedder: Embedder, threshold: float) -> None:
        """`threshold` is the least cosine similarity of a hit. Raises `ValueError` where numpy is not installed."""
        try:
            import numpy  # noqa: PLC0415
        except ImportError:
            raise ValueError("The semantic mode needs numpy: install it, or use mode='verified'.") from None
        self._numpy = numpy
        self._embedder = embedder
        self._threshold = threshold
        self._entries: dict[str, dict[str, Entry]] = {}
        self._matrices: dict[str, tuple[list[Entry], Vector]] = {}

    def encode(self, text: str) -> "Vector":
        """The vector of `text`, of length 1. Raises `ValueError` for another shape, and what the model raises."""
        vectors = self._numpy.asarray(self._embedder.encode([text]), dtype=self._numpy.float32)
        if vectors.ndim != 2 or len(vectors) != 1:
            raise ValueError(f"The embedder returned the shape {vectors.shape} for one text: return one vector a text.")
        vector: Vector = vectors[0]
        length = float(self._numpy.linalg.norm(vector))
        return vector / length if length else vector

    def add(self, entry: Entry) -> None:
        """Make `entry` findable by its vector, if it has one."""
        if entry.vector is not None:
            self._entries.setdefault(entry.scope, {})[entry.key] = entry
            self._matrices.pop(entry.scope, None)

    def remove(self, entry: Entry) -> None:
        """Forget `entry`."""
        if entry.vector is not None and (entries := self._entries.get(entry.scope)) is not None:
            entries.pop(entry.key, None)
            self._matrices.pop(entry.scope, None)
            if not entries:
                del self._entries[entry.scope]

    def nearest(self, scope: str, asked: Meaning, vector: "Vector", accepts: Accepts) -> Nearest:
        """The nearest entry of `scope` over the threshold that no rule refuses, else the nearest and its rule."""
        entries, matrix = self._matrix(scope)
        if not entries:
            return Nearest()
        scores = matrix @ vector
        refused = Nearest()
        for position in _best(scores):
            entry, score = entries[position], min(1.0, float(scores[position]))
            if accepts(entry) and entry.meaning is not None:
                rule = self._rule(entry.meaning, asked, score)
                if rule is None:
                    return Nearest(score, entry, None, "semantic")
                refused = refused if refused.rule else Nearest(max(0.0, score), None, rule)
        return refused

    def _rule(self, cached: Meaning, asked: Meaning, score: float) -> str | None:
        return "threshold" if score < self._threshold else reject_rule(cached, asked, same_words=False)

    def _matrix(self, scope: str) -> tuple[Sequence[Entry], "Vector"]:
        if scope not in self._matrices:
            entries = list(self._entries.get(scope, {}).values())
            vectors = [entry.vector for entry in entries]
            self._matrices[scope] = entries, self._numpy.asarray(vectors, dtype=self._numpy.float32)
        return self._matrices[scope]


def _best(scores: "Vector") -> list[int]:
    order: list[int] = scores.argsort()[::-1][:_MOST_VERIFIED].tolist()
    return order
