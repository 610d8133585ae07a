"""Processes that the tests of a folder share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import Stack, ready_stack

from .receiver_process import Receiver, running


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver with an empty journal."""
    with running(tmp_path) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def shared_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver for tests that do not look at the whole journal."""
    with running(tmp_path_factory.mktemp("receiver")) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`spandeck up --no-ui`, empty at first, shared by all tests that only add to it."""
    with ready_stack(tmp_path_factory.mktemp("stack"), "up", "--no-ui") as stack:
        yield stack
