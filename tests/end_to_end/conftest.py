"""Processes that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from .stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Receiver and store for tests that each look at a service of their own."""
    with running(tmp_path_factory.mktemp("stack")) as stack:
        yield stack
