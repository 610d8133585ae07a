"""Under which names the page is served, and what a stranger is told."""

import http.client
import socket

import pytest

from spandeck_dashboard.config import DashboardConfig, host_name
from tests.support.waiting import eventually
from tests.support.web import Answer, ask

from .stack import Stack


@pytest.mark.unit
@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("LocalHost:8501", "localhost"),
        ("deck.example.", "deck.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:8501", "::1"),
        ("[FD00::7]", "fd00::7"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("fd00::7", "fd00::7"),
        ("[::1", ""),
        ("", ""),
    ],
)
def test_a_host_is_a_name_without_case_port_and_brackets(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.unit
def test_allowed_hosts_are_kept_as_names() -> None:
    config = DashboardConfig.from_environment({"SPANDECK_ALLOWED_HOSTS": "Deck.Example:1234, [fd00::7]:80, ,"})
    assert config.allowed_hosts == ("deck.example", "fd00::7")


def get(stack: Stack, host: str) -> Answer:
    return ask(stack.settings.ui_port, "/", headers={"Host": host}, method="GET")


def upgrade_status(stack: Stack, host: str) -> int:
    headers = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    return ask(stack.settings.ui_port, "/_stcore/stream", headers=headers, method="GET").status


@pytest.mark.integration
def test_the_page_knows_its_names_and_tells_strangers_the_setting(empty: Stack) -> None:
    empty.start_dashboard(SPANDECK_ALLOWED_HOSTS="Deck.Example:1234,fd00::7")
    for host in ("LOCALHOST", "localhost:1", "[::1]:8501", "deck.example", "DECK.example:99", "[fd00::7]:80"):
        assert get(empty, host).status == 200, host
    for host in ("evil.example", "localhost.evil.example", "[fd00::8]", "10.0.0.1:8501"):
        answer = get(empty, host)
        assert answer.status == 400, host
        assert f"not served under the name '{host}'" in answer.body.decode()
        assert "SPANDECK_ALLOWED_HOSTS" in answer.body.decode()
    assert upgrade_status(empty, "localhost") == 101
    assert upgrade_status(empty, "evil.example") == 403


@pytest.mark.integration
def test_a_page_on_ipv6_refuses_strangers_too(empty: Stack) -> None:
    port = empty.settings.ui_port
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    def status(host: str) -> int | None:
        connection = http.client.HTTPConnection("::1", port)
        try:
            connection.request("GET", "/_stcore/health", headers={"Host": host})
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    empty.start("spandeck_dashboard", SPANDECK_HOST="::1")
    eventually(lambda: status(f"[::1]:{port}") == 200, "the page on ::1")
    assert status("localhost") == 200
    assert status("evil.example") == 400
