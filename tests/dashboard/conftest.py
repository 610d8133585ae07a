"""Stacks that the tests of this folder share, and pages run without a browser."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from spandeck_dashboard import queries
from spandeck_dashboard.server import APP

from .stack import Stack, running

OpenPage = Callable[..., AppTest]

_PAGE = """
from spandeck_dashboard import frame, routes
from spandeck_dashboard.views import {name} as view

routes.remember({{}})
frame.draw("{name}", has_own_header={own}, has_filters={filters})
view.page()
frame.finish()
"""


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


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Stack], None]]:
    """Point this process's queries at a stack."""

    def point(stack: Stack) -> None:
        for name, value in stack.environment().items():
            if name.startswith("SPANDECK_"):
                monkeypatch.setenv(name, value)
        queries.forget()

    yield point
    queries.forget()


@pytest.fixture
def open_page(asks: Callable[[Stack], None]) -> OpenPage:
    """Run a page against a stack: `open_page(stack, "traces", range="24h")`."""

    def run(stack: Stack, name: str = "overview", **parameters: str) -> AppTest:
        asks(stack)
        source = _PAGE.format(name=name, own=name == "trace", filters=name not in {"sql", "health"})
        page = AppTest.from_string(source) if name != "overview" else AppTest.from_file(APP)
        for key, value in parameters.items():
            page.query_params[key] = value
        page.run(timeout=60)
        assert not page.exception, page.exception
        return page

    return run


def part_data(page: AppTest, key: str) -> dict[str, Any]:
    """What a page sent to one of our own parts."""
    for element in page.get("bidi_component"):
        if element.proto.id.endswith(f"-{key}"):
            data: dict[str, Any] = json.loads(element.proto.json)
            return data
    raise AssertionError(f"The page has no part {key!r}.")


def texts(page: AppTest) -> str:
    """All plain sentences, headings and code of a page."""
    found = [*page.text, *page.markdown, *page.title, *page.code]
    return "\n".join(str(element.value) for element in found)
