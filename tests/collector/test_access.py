"""Host, Origin and token checks, which all HTTP ports share, and the names in the settings that they use."""

import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_collector.access import AccessError, check_host, check_token, host_name, host_names
from spandeck_collector.setting_values import SettingsError
from spandeck_collector.settings import Settings

pytestmark = pytest.mark.unit


def host_status(hosts: list[str], origins: list[str], names: frozenset[str] = frozenset()) -> int:
    try:
        check_host(hosts, origins, names)
    except AccessError as error:
        return error.status
    return 200


def token_status(authorizations: list[str]) -> int:
    try:
        check_token(authorizations, "rd", "SPANDECK_READ_TOKEN")
    except AccessError as error:
        return error.status
    return 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:4318", "127.9.9.9", "[::1]:80", "[0:0::1]"])
def test_loopback_is_always_known(host: str) -> None:
    assert host_status([host], []) == 200
    assert host_status(["localhost"], [f"http://{host}"]) == 200


@pytest.mark.parametrize("host", ["", "evil.example", "10.0.0.1", "localhost.evil.example", "[::1", "localhost@evil"])
def test_other_names_are_foreign(host: str) -> None:
    assert host_status([host], []) == 403


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "https://evil.example:4318"])
def test_a_foreign_origin_is_refused_though_the_host_is_ours(origin: str) -> None:
    assert host_status(["localhost"], [origin]) == 403


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"]], ids=["none", "two"])
def test_there_is_exactly_one_host(hosts: list[str]) -> None:
    assert host_status(hosts, []) == 400


def test_the_bound_host_and_the_allowed_ones_are_known() -> None:
    names = host_names("2001:db8::7", ["box"])
    assert host_status(["[2001:DB8:0::7]:4319"], ["http://BOX:8501"], names) == 200


@pytest.mark.parametrize("given_header", ["Bearer rd", "bearer rd", "BEARER  rd"])
def test_the_scheme_is_written_in_any_case(given_header: str) -> None:
    assert token_status([given_header]) == 200


@pytest.mark.parametrize("given_headers", [[], ["rd"], ["Basic rd"], ["Bearer"], ["Bearer RD"], ["Bearer rd"] * 2])
def test_anything_else_is_no_token(given_headers: list[str]) -> None:
    assert token_status(given_headers) == 401
    with pytest.raises(AccessError, match="SPANDECK_READ_TOKEN"):
        check_token(given_headers, "rd", "SPANDECK_READ_TOKEN")


@given(st.text())
def test_any_text_is_a_name_or_none_and_any_header_an_answer(text: str) -> None:
    assert host_name(text) == host_name(text).lower()
    assert host_status([text], [text]) in (200, 403)
    assert token_status([text]) in (200, 401)


def allowed(folder: Path, text: str) -> tuple[str, ...]:
    return Settings.from_environment({"SPANDECK_ALLOWED_HOSTS": text}, folder).allowed_hosts


def test_allowed_hosts_take_the_form_of_host_names(tmp_path: Path) -> None:
    assert allowed(tmp_path, "Box.Example., [2001:DB8::1],::1,192.0.2.7") == (
        "box.example",
        "2001:db8::1",
        "::1",
        "192.0.2.7",
    )


@pytest.mark.parametrize("text", ["foo:1234", "http://foo", "[::1]:80", "foo/bar", "[", "a@b"])
def test_an_allowed_host_is_a_name_without_port_and_scheme(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"SPANDECK_ALLOWED_HOSTS is .*without port and scheme"):
        allowed(tmp_path, text)


@pytest.mark.integration
def test_the_query_port_demands_one_host_and_the_scheme(stack: Any) -> None:
    port = stack.settings.query_port
    for hosts, status in ((b"", b"400"), (b"Host: evil.example\r\n", b"403"), (b"Host: localhost\r\n", b"404")):
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(b"GET /x HTTP/1.1\r\n" + hosts + b"\r\n")
            assert connection.recv(12) == b"HTTP/1.1 " + status
