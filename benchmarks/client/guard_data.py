"""Independent texts out of PyPI packages, read from their files: nothing of them is imported or run but faker."""

from __future__ import annotations

import ast
import json
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 2_000
_SLOT = re.compile(r"\{(?:injection|[a-z]+)_?\w*\}")


@dataclass(frozen=True)
class Text:
    """A text with its source for the guard, whether it is an attack, and the set that it comes from."""

    text: str
    source: str
    is_attack: bool
    origin: str


def bastioncorpus(packages: Path) -> Iterator[Text]:
    """Attacks by category, and benign texts that look like attacks."""
    for line in (packages / "bastioncorpus/corpus/injections.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        source = "user" if row["channel"] == "user_input" else "tool:data"
        is_attack = row["label"] == "malicious"
        text = row["text"].replace("{canary}", "ZX-4471")
        yield Text(text, source, is_attack, row["category"] if is_attack else "traps")


def agentdojo(packages: Path) -> Iterator[Text]:
    """Tasks of users, the data that tools return (without its slots), and goals wrapped in the known attacks."""
    root = packages / "agentdojo"
    for path in sorted(root.glob("default_suites/v1/*/user_tasks.py")):
        yield from (Text(text, "user", False, "tasks") for text in _constants(path, "PROMPT"))
    for path in sorted(root.glob("data/suites/**/*.yaml")):
        if path.name != "injection_vectors.yaml":
            data = _SLOT.sub("", path.read_text(encoding="utf-8"))
            yield from (Text(item, "tool:data", False, "data") for item in _items(data))
    goals = [
        goal
        for path in sorted(root.glob("default_suites/v1/*/injection_tasks.py"))
        for goal in _constants(path, "GOAL")
    ]
    for name, wrapper in _wrappers(root / "attacks"):
        for goal in goals:
            yield Text(wrapper.replace("{goal}", goal), "tool:data", True, name)


def questions(packages: Path) -> Iterator[Text]:
    """The questions of fow-cache: what people ask shops, banks and offices."""
    for line in (packages / "fow_cache/data/pairs.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield from (Text(row[side], "user", False, "questions") for side in "ab")


def readmes() -> list[str]:
    """The descriptions of the packages that run this benchmark, headers left out."""
    folder = Path(sysconfig.get_path("purelib"))
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.dist-info/METADATA"))]
    return [body for text in texts if (body := text.partition("\n\n")[2].strip())]


def chunks(texts: list[str]) -> list[str]:
    """`texts` in pieces of 2,000 characters."""
    return [text[at : at + CHUNK] for text in texts for at in range(0, len(text), CHUNK)]


def _constants(path: Path, name: str) -> Iterator[str]:
    """The strings that classes of `path` give to `name`; values put into them become a word."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        named = isinstance(node, ast.Assign) and any(getattr(one, "id", None) == name for one in node.targets)
        if isinstance(node, ast.Assign) and named and (text := _string(node.value)) is not None:
            yield text


def _wrappers(folder: Path) -> Iterator[tuple[str, str]]:
    """The texts with a slot for the goal, by the name of the attack that has them; docstrings are none."""
    for path in sorted(folder.glob("*.py")):
        for attack in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(attack, ast.ClassDef):
                for text in dict.fromkeys(_slotted(attack)):
                    filled = text.replace("{user}", "Emma Johnson").replace("{model}", "Claude")
                    yield attack.name.removesuffix("Attack"), filled


def _slotted(attack: ast.ClassDef) -> Iterator[str]:
    documentation = ast.get_docstring(attack, clean=False)
    for node in ast.walk(attack):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            text = _string(node)
            if text and "{goal}" in text and text != documentation:
                yield text


def _string(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_string(part) or _slot(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        left, right = _string(node.left), _string(node.right)
        return None if left is None or right is None else left + right
    return None


def _slot(node: ast.expr) -> str:
    """What stands for a value in an f-string: its own name where that is a slot, else a word."""
    named = isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name)
    return "{goal}" if named and node.value.id == "goal" else "Alice"  # type: ignore[attr-defined]


def _items(data: str) -> list[str]:
    """The items of a YAML list, without reading YAML: what starts at the least indented dashes."""
    items = [item for item in re.split(r"\n(?=\s{0,4}- )", data) if len(item.strip()) > 20]
    return chunks(items)
