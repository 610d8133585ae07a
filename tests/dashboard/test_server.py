"""The process `python -m spandeck_dashboard`: ports, signals, headers."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from spandeck_dashboard.server import CONTENT_SECURITY_POLICY
from tests.support.waiting import DEADLINE_S
from tests.support.web import Answer, ask

from .stack import Stack

pytestmark = pytest.mark.integration


@pytest.fixture
def page_only(tmp_path: Path) -> Iterator[Stack]:
    """A dashboard without a collector."""
    stack = Stack(tmp_path)
    yield stack
    stack.stop_all()


def get(stack: Stack, path: str, host: str) -> Answer:
    return ask(stack.settings.ui_port, path, headers={"Host": host}, method="GET")


def said(stack: Stack) -> str:
    return stack.stdout("spandeck_dashboard") + stack.stderr("spandeck_dashboard")


def test_a_taken_port_is_told_with_its_setting_and_exit_code_2(page_only: Stack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", page_only.settings.ui_port))
        other.listen()
        process = page_only.start("spandeck_dashboard")
        assert process.wait(DEADLINE_S) == 2
    assert said(page_only) == (
        f"Port {page_only.settings.ui_port} (SPANDECK_UI_PORT) on 127.0.0.1 is in use: "
        "stop the other program or set SPANDECK_UI_PORT to a free port.\n"
    )


def test_a_wrong_setting_is_told_with_exit_code_2(page_only: Stack) -> None:
    process = page_only.start("spandeck_dashboard", SPANDECK_QUERY_PORT="many")
    assert process.wait(DEADLINE_S) == 2
    assert "SPANDECK_QUERY_PORT is 'many'" in said(page_only)


def test_it_ends_when_its_supervisor_does(page_only: Stack) -> None:
    page_only.start_dashboard()
    assert page_only.stop("spandeck_dashboard") == 0


def test_it_ends_on_sigterm(page_only: Stack) -> None:
    page_only.start_dashboard()
    process = page_only.processes["spandeck_dashboard"]
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(DEADLINE_S) in {0, -signal.SIGTERM}


def test_every_answer_forbids_what_is_elsewhere_and_strange_hosts_are_refused(page_only: Stack) -> None:
    page_only.start_dashboard(SPANDECK_ALLOWED_HOSTS="deck.example")
    page = get(page_only, "/", "localhost")
    assert page.status == 200
    assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert get(page_only, "/", "deck.example").status == 200
    assert get(page_only, "/", "evil.example").status == 400
