"""The examples of docs/guard.md run as they stand."""

import re
from contextvars import copy_context
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

DOCUMENT = (Path(__file__).parents[3] / "docs" / "guard.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_document_hold(example: str) -> None:
    copy_context().run(exec, example, {})


def test_the_document_has_examples() -> None:
    assert len(EXAMPLES) == 3
