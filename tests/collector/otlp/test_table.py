"""docs/otlp.md names for each row of the checklist the tests that there are, and no others."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROWS = range(1, 59)
DOCUMENT = Path(__file__).parents[3] / "docs" / "otlp.md"


def written() -> dict[int, set[str]]:
    """The tests of this folder by the row in their names."""
    found: dict[int, set[str]] = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (row := re.match(r"test_row_(\d+)_", node.name)):
                found.setdefault(int(row[1]), set()).add(node.name)
    return found


def test_each_row_of_the_table_names_its_tests() -> None:
    lines = re.findall(r"^\| (\d+) \|.*\| (`test_.*`) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    told = {int(row): set(re.findall(r"`(\w+)`", names)) for row, names in lines}
    assert list(told) == list(ROWS)
    assert told == written()
