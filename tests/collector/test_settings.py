"""Settings: where values come from, what is refused, and in which words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_collector.settings import Settings, SettingsError

pytestmark = pytest.mark.unit

_TOKEN = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
_NAME = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)


def read(folder: Path, environ: dict[str, str] | None = None, toml: str | None = None) -> Settings:
    if toml is not None:
        (folder / "spandeck.toml").write_text(toml, encoding="utf-8")
    return Settings.from_environment(environ or {}, folder)


def refusal(folder: Path, environ: dict[str, str] | None = None, toml: str | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, environ, toml)
    return str(caught.value)


def test_without_file_and_environment_the_documented_defaults_hold(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert (settings.host, settings.http_port, settings.grpc_port) == ("127.0.0.1", 4318, 4317)
    assert (settings.query_port, settings.ui_port) == (4319, 8501)
    assert settings.ingest_token is None
    assert settings.allowed_hosts == ()


def test_the_file_wins_over_defaults_and_the_environment_over_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        {"SPANDECK_HTTP_PORT": "3000", "SPANDECK_ALLOWED_HOSTS": "a.example, b.example"},
        'http_port = 2000\ngrpc_port = 2001\nallowed_hosts = ["c.example"]\nquery_timeout_s = 3\n',
    )
    assert (settings.http_port, settings.grpc_port, settings.query_port) == (3000, 2001, 4319)
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.query_timeout_s == 3.0


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    assert read(tmp_path, {"SPANDECK_READ_TOKEN": "", "SPANDECK_HOST": ""}) == read(tmp_path)


def test_a_relative_data_dir_becomes_absolute_and_a_tilde_is_home(tmp_path: Path) -> None:
    assert read(tmp_path, {"SPANDECK_DATA_DIR": "x"}).data_dir == Path.cwd() / "x"
    assert read(tmp_path, {"SPANDECK_DATA_DIR": "~/x"}).data_dir == Path.home() / "x"


@pytest.mark.parametrize("text", ["1", "true", "YES", "on"])
def test_a_switch_is_on_in_several_spellings(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, {"SPANDECK_SAMPLE_DATA": text}).sample_data


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("HTTP_PORT", "99999", "a port from 0 to 65535"),
        ("GRPC_PORT", "-1", "a port from 0 to 65535"),
        ("QUERY_PORT", "http", "a whole number"),
        ("UI_PORT", "4318", "another port than SPANDECK_HTTP_PORT has"),
        ("MAX_BODY_BYTES", "64MiB", "a whole number"),
        ("MAX_BODY_BYTES", "0", "above 0"),
        ("QUERY_MAX_ROWS", "0", "above 0"),
        ("QUERY_CONCURRENCY", "-2", "above 0"),
        ("QUERY_TIMEOUT_S", "soon", "a number"),
        ("QUERY_TIMEOUT_S", "0", "above 0 seconds"),
        ("QUERY_TIMEOUT_S", "nan", "above 0 seconds"),
        ("QUERY_TIMEOUT_S", "inf", "above 0 seconds"),
        ("JOURNAL_SEGMENT_BYTES", "1", "at least 1048576"),
        ("JOURNAL_LIMIT_BYTES", "7", "at least 1048576"),
        ("MEMORY_LIMIT", "plenty", "a size such as 1GB or 512MB, at least 128MB"),
        ("CONTENT_BYTES", "-1", "0 (store no content) or more"),
        ("CONTENT_BYTES", "32KB", "a whole number"),
        ("CONTENT_DAYS", "-1", "from 0 (keep for ever) to 36500 days"),
        ("CONTENT_DAYS", "36501", "from 0 (keep for ever) to 36500 days"),
        ("SPAN_DAYS", "-1", "from 0 (keep for ever) to 36500 days"),
        ("ROLLUP_DAYS", "40000", "from 0 (keep for ever) to 36500 days"),
        ("ALERT_DAYS", "90d", "a whole number"),
        ("FREE_SPACE_FLOOR_BYTES", "-1", "0 (no floor) or a number of bytes"),
        ("SAMPLE_DATA", "maybe", "1 or 0"),
        ("HOST", "[::1]", "an address or name of this machine, without port and brackets"),
        ("HOST", "http://localhost", "an address or name of this machine, without port and brackets"),
    ],
)
def test_a_bad_value_is_refused_with_setting_value_and_rule(tmp_path: Path, name: str, value: str, rule: str) -> None:
    sentence = refusal(tmp_path, {f"SPANDECK_{name}": value})
    assert f"SPANDECK_{name} is " in sentence
    assert value in sentence
    assert sentence.endswith(f"it must be {rule}.")


@pytest.mark.parametrize(
    ("toml", "name", "rule"),
    [
        ("http_port = true", "HTTP_PORT", "a whole number"),
        ("http_port = 4318.5", "HTTP_PORT", "a whole number"),
        ("http_port = []", "HTTP_PORT", "a whole number"),
        ("host = 1", "HOST", "a text"),
        ("data_dir = 1", "DATA_DIR", "a folder"),
        ("allowed_hosts = 1", "ALLOWED_HOSTS", "a list with commas between its parts"),
        ("allowed_hosts = [1]", "ALLOWED_HOSTS", "a list with commas between its parts"),
        ("sample_data = 2", "SAMPLE_DATA", "1 or 0"),
        ("ingest_token = 12345", "INGEST_TOKEN", "a text"),
    ],
)
def test_a_value_of_the_wrong_type_in_the_file_is_refused(tmp_path: Path, toml: str, name: str, rule: str) -> None:
    sentence = refusal(tmp_path, toml=toml)
    assert sentence.startswith(f"SPANDECK_{name} is ")
    assert sentence.endswith(f"it must be {rule}.")


@pytest.mark.parametrize("token", ["two words", "line\n", "schlüssel", "\x1b[2J"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(tmp_path: Path, token: str) -> None:
    sentence = refusal(tmp_path, {"SPANDECK_READ_TOKEN": token})
    assert sentence == "SPANDECK_READ_TOKEN is (hidden): it must be printable ASCII without spaces."


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    assert "12345" not in refusal(tmp_path, toml="read_token = 12345")


def test_an_unknown_key_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, toml="htp_port = 1")
    assert str(tmp_path / "spandeck.toml") in sentence
    assert "'htp_port'" in sentence
    assert "http_port" in sentence


@pytest.mark.parametrize("content", [b"http_port = ", b"host = '\xff'"])
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spandeck.toml").write_bytes(content)
    assert refusal(tmp_path).startswith(f"{tmp_path / 'spandeck.toml'} is not valid TOML: ")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "agents.example"])
def test_others_may_reach_us_only_past_two_tokens(tmp_path: Path, host: str) -> None:
    none = refusal(tmp_path, {"SPANDECK_HOST": host})
    assert f"SPANDECK_HOST is {host!r}" in none
    assert "SPANDECK_INGEST_TOKEN is not set" in none
    one = refusal(tmp_path, {"SPANDECK_HOST": host, "SPANDECK_INGEST_TOKEN": "t"})
    assert "SPANDECK_READ_TOKEN is not set" in one
    both = {"SPANDECK_HOST": host, "SPANDECK_INGEST_TOKEN": "t", "SPANDECK_READ_TOKEN": "u"}
    assert read(tmp_path, both).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_token(tmp_path: Path, host: str) -> None:
    assert read(tmp_path, {"SPANDECK_HOST": host}).is_loopback


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("2001:db8::1", "http://[2001:db8::1]:80"),
    ],
)
def test_the_address_of_a_port_can_be_opened_from_this_machine(host: str, url: str) -> None:
    assert Settings(host=host).url(80) == url


@given(
    settings=st.builds(
        Settings,
        data_dir=st.sampled_from([Path("/srv/spandeck"), Path("/with space/ü")]),
        host=st.sampled_from(["127.0.0.1", "::1", "0.0.0.0", "agents.example"]),
        http_port=st.integers(1, 1000),
        grpc_port=st.integers(1001, 2000),
        ingest_token=_TOKEN,
        read_token=_TOKEN,
        allowed_hosts=st.lists(_NAME, max_size=3).map(tuple),
        query_timeout_s=st.floats(0.001, 1e6),
        sample_data=st.booleans(),
    )
)
def test_a_child_process_reads_the_same_settings_from_its_environment(settings: Settings) -> None:
    assert Settings.from_environment(settings.environment(), Path("/nowhere")) == settings
