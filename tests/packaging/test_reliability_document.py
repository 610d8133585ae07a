"""docs/reliability.md names every experiment once, and tests that are there."""

import re

import pytest

from .conftest import ROOT

pytestmark = pytest.mark.unit
_TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_experiment_has_one_row() -> None:
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", _TEXT, re.MULTILINE)]
    assert rows == [*range(1, 32), *range(37, 47)]


@pytest.mark.parametrize(("path", "name"), sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _TEXT))))
def test_a_named_test_is_there(path: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
