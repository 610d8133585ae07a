"""Where a read token is set, nothing shows without it."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from spandeck_dashboard.server import APP

from .conftest import texts
from .stack import Stack

pytestmark = pytest.mark.integration

Asks = Callable[[Stack], None]


@pytest.fixture
def door(filled: Stack, asks: Asks, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    asks(filled)
    monkeypatch.setenv("SPANDECK_READ_TOKEN", "open-sesame")
    return AppTest.from_file(APP).run(timeout=60)


def give(page: AppTest, token: str) -> AppTest:
    page.text_input[0].input(token)
    return page.button[0].click().run(timeout=60)


def test_no_page_shows_before_the_token_is_given(door: AppTest) -> None:
    assert not door.exception
    assert "Overview" not in texts(door)
    assert not door.get("bidi_component")


def test_a_wrong_token_opens_nothing(door: AppTest) -> None:
    page = give(door, "open-barley")
    assert not page.get("bidi_component")
    assert "This is not the read token of this collector." in texts(page)


def test_the_token_opens_the_pages(door: AppTest) -> None:
    page = give(door, "open-sesame")
    assert not page.exception
    assert page.get("bidi_component")
