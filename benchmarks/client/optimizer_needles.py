"""The needle task: is the sentence that a query asks about still there when most of a text is gone?

A text is a README of an installed package, or, as fresh texts of another kind, a module docstring of the standard
library. The needle is a word that stands once in a text of 30 to 70 sentences; the query is 40 % of the other words
of its sentence. The task favours methods that go by words.
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.client.figures import Figure, percent
from spandeck import compress
from spandeck.optimizer.segments import segments

_LEAST_KEPT = 95.0
_NEEDLES_A_TEXT, _MOST_TASKS = 4, 400
_FEWEST, _MOST = 30, 70
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n{2,}")
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{5,}")


@dataclass(frozen=True)
class Task:
    """Find `needle` in `text` by `query`."""

    text: str
    query: str
    needle: str


def measure() -> list[Figure]:
    return [*_figures("READMEs", _tasks(_readmes())), *_figures("docstrings (fresh)", _tasks(_docstrings()))]


def _figures(name: str, tasks: list[Task]) -> list[Figure]:
    figures = []
    for share in (50, 25, 10):
        bound = _LEAST_KEPT if share == 25 and name == "READMEs" else None
        kept = percent(sum(_kept(task, share, _ours) for task in tasks), len(tasks))
        figures.append(Figure(f"{name}: needles kept at {share} %", kept, "%", len(tasks), bound, at_least=True))
    cut = percent(sum(_kept(task, 25, _without_middle) for task in tasks), len(tasks))
    figures.append(Figure(f"{name}: kept at 25 % by cutting the middle out", cut, "%", len(tasks)))
    over = sum(len(_ours(task, len(task.text) // 4)) > len(task.text) // 4 for task in tasks)
    figures.append(Figure(f"{name}: left above 25 %", percent(over, len(tasks)), "%", len(tasks)))
    return figures


def _kept(task: Task, share: int, method: Callable[[Task, int], str]) -> bool:
    return task.needle in method(task, len(task.text) * share // 100)


def _ours(task: Task, limit: int) -> str:
    return compress(task.text, task.query, limit).text


def _without_middle(task: Task, limit: int) -> str:
    return task.text[: limit // 2] + task.text[len(task.text) - limit // 2 :]


def _tasks(texts: Iterator[str]) -> list[Task]:
    source = random.Random(1)
    tasks = [task for text in texts for task in _needles(text, source)]
    source.shuffle(tasks)
    return tasks[:_MOST_TASKS]


def _needles(text: str, source: random.Random) -> Iterator[Task]:
    sentences = _SENTENCE.split(text)
    if len(sentences) < _FEWEST:
        return
    text = text[: text.index(sentences[_MOST])] if len(sentences) > _MOST else text
    words = Counter(re.findall(r"\w+", text))
    prose = [sentence for part in segments(text) if part.kind == "prose" for sentence in _SENTENCE.split(part.text)]
    source.shuffle(prose)
    found = 0
    for sentence in prose:
        rare = [word for word in _WORD.findall(sentence) if words[word] == 1]
        others = [word for word in re.findall(r"\w+", sentence) if word not in rare[:1]]
        if rare and len(others) >= 6 and found < _NEEDLES_A_TEXT:
            found += 1
            yield Task(text, " ".join(source.sample(others, len(others) * 2 // 5)), rare[0])


def _readmes() -> Iterator[str]:
    found = {package.metadata["Name"]: package.read_text("METADATA") or "" for package in distributions()}
    readmes = {name: text.partition("\n\n")[2] for name, text in found.items()}
    yield from (readme for _, readme in sorted(readmes.items()) if len(readme) > 4_000)


def _docstrings() -> Iterator[str]:
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        tree = ast.parse(path.read_bytes())
        parts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, _DOCUMENTED)]
        text = "\n\n".join(part for part in parts if part)
        if len(text) > 4_000:
            yield text


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
