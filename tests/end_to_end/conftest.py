"""Processes that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, ready_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Receiver and store for tests that each look at a service of their own."""
    with ready_stack(tmp_path_factory.mktemp("stack"), "up", "--no-ui") as stack:
        yield stack
