"""Stacks that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from .stack import Stack, running


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A collector that holds the sample traces; do not stop it or add to it."""
    with running(tmp_path_factory.mktemp("filled"), filled=True) as stack:
        yield stack


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A collector of one's own that holds nothing yet."""
    with running(tmp_path_factory.mktemp("empty"), filled=False) as stack:
        yield stack
