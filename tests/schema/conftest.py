"""A sandbox for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """An empty database with made-up prices."""
    result = Sandbox(tmp_path)
    yield result
    result.connection.close()
