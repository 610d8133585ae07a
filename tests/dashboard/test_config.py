"""What the environment may say to the dashboard, and what the server is told to be."""

import pytest

from spandeck_dashboard.config import ConfigError, DashboardConfig
from spandeck_dashboard.server import CONTENT_SECURITY_POLICY, streamlit_options

pytestmark = pytest.mark.unit


def test_defaults_are_loopback_and_the_documented_ports() -> None:
    config = DashboardConfig.from_environment({})
    assert (config.host, config.ui_port, config.query_port) == ("127.0.0.1", 8501, 4319)
    assert config.url(config.query_port) == "http://127.0.0.1:4319"
    assert not config.sample_data


@pytest.mark.parametrize("text", ["-1", "65536", "http", "8501.5", "８５０１"])  # noqa: RUF001
def test_a_port_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"SPANDECK_UI_PORT is .*: set it to a port from 0 to 65535\."):
        DashboardConfig.from_environment({"SPANDECK_UI_PORT": text})


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:1"), ("::1", "http://[::1]:1")])
def test_a_wildcard_host_is_reached_by_loopback(host: str, url: str) -> None:
    assert DashboardConfig(host=host).url(1) == url


def test_only_loopback_the_host_and_the_allowed_names_may_be_asked_for() -> None:
    config = DashboardConfig.from_environment({"SPANDECK_ALLOWED_HOSTS": "deck.example, box "})
    assert set(config.host_names) == {"localhost", "127.0.0.1", "::1", "[::1]", "deck.example", "box"}


def test_streamlit_is_told_everything_that_keeps_data_here() -> None:
    options = streamlit_options(DashboardConfig(), 8501)
    assert options["browser.gatherUsageStats"] is False
    assert options["server.address"] == "127.0.0.1"
    assert options["server.enableXsrfProtection"] is options["server.enableCORS"] is True
    assert options["client.showErrorDetails"] == "none"
    assert options["runner.magicEnabled"] is options["server.enableWebsocketCompression"] is False
    assert "127.0.0.1" in options["server.allowedHosts"]
    assert options["theme.light.primaryColor"] != options["theme.dark.primaryColor"]


def test_the_policy_lets_the_page_reach_nothing_but_its_server() -> None:
    assert "default-src 'self'" in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
