"""One frozen `Settings` for every process: defaults, then `spandeck.toml`, then `SPANDECK_*`."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from spandeck_collector.alerts.channels import AlertChannel, channels_text, read_channels
from spandeck_collector.setting_values import (
    PREFIX,
    SettingsError,
    allowed_host,
    boolean,
    memory_bytes,
    number,
    origin,
    require,
    string,
)
from spandeck_collector.time_zones import is_zone

CONFIG_FILE = "spandeck.toml"
UPGRADING_SUFFIX = ".upgrading"
_SECRETS = ("ingest_token", "read_token", "admin_token")
_HIDDEN = (*_SECRETS, "alert_channels")
_PORTS = ("http_port", "grpc_port", "query_port", "ui_port")
_MINIMUM_SEGMENT_BYTES = 1 << 20
_HIGHEST_PORT = 65_535
_SEGMENTS_IN_LIMIT = 4
_MINIMUM_MEMORY_BYTES = 128_000_000
_MOST_DAYS = 36_500
_MOST_GRACE_S = 3_600
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
_TIMES = ("query_timeout_s", "request_timeout_s", "idle_timeout_s")
_COUNTS = (
    "max_body_bytes",
    "query_max_rows",
    "query_max_bytes",
    "query_concurrency",
    "checkpoint_rows",
    "alert_attempts",
)
_AGES = ("content_days", "span_days", "rollup_days", "alert_days")


@dataclass(frozen=True)
class Settings:
    """All that a user can set: `http_port` is `SPANDECK_HTTP_PORT` or `http_port` in spandeck.toml."""

    data_dir: Path = field(default_factory=lambda: user_data_path("spandeck", appauthor=False))
    host: str = "127.0.0.1"
    http_port: int = 4318
    grpc_port: int = 4317
    query_port: int = 4319
    ui_port: int = 8501
    ingest_token: str | None = None
    read_token: str | None = None
    admin_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    tls_certificate: str | None = None
    tls_key: str | None = None
    request_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    max_body_bytes: int = 64 << 20
    journal_segment_bytes: int = 64 << 20
    journal_limit_bytes: int = 2 << 30
    journal_limit_s: float = 86_400.0
    free_space_floor_bytes: int = 256 << 20
    query_timeout_s: float = 10.0
    query_max_rows: int = 100_000
    query_max_bytes: int = 64 << 20
    query_concurrency: int = 4
    memory_limit: str = "1GB"
    checkpoint_rows: int = 122_880
    content_bytes: int = 32_768
    time_zone: str = "UTC"
    prices_file: str = ""
    budgets_file: str = ""
    content_days: int = 7
    span_days: int = 30
    rollup_days: int = 400
    alert_days: int = 90
    redact: bool = True
    redact_before_journal: bool = False
    alert_rules: str | None = None
    alert_grace_s: float = 15.0
    alert_channels: tuple[AlertChannel, ...] = ()
    alert_retry_s: float = 5.0
    alert_attempts: int = 6
    alert_private_targets: bool = False
    sample_data: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> Settings:
        """Defaults, then `spandeck.toml` in `folder` (the working directory), then `SPANDECK_*`; validated.

        Raises `SettingsError` for an unknown key in the file or a value of the wrong type or range.
        """
        values = _from_file((folder or Path.cwd()) / CONFIG_FILE)
        for each in fields(cls):
            text = environ.get(PREFIX + each.name.upper())
            if text is not None and text != "":
                values[each.name] = text
        return replace(cls(), **{name: _convert(name, value) for name, value in values.items()}).validate()

    @property
    def journal_dir(self) -> Path:
        """Where the receiver appends and the store reads."""
        return self.data_dir / "journal"

    @property
    def database(self) -> Path:
        """The one DuckDB file; only the store opens it."""
        return self.data_dir / "spandeck.duckdb"

    @property
    def alert_rules_dir(self) -> Path:
        """The folder of the user's own alert rules."""
        return self._own_path(self.alert_rules, "alerts")

    @property
    def prices_path(self) -> Path:
        """The user's own prices."""
        return self._own_path(self.prices_file, "prices.toml")

    @property
    def budgets_path(self) -> Path:
        """The user's budgets."""
        return self._own_path(self.budgets_file, "budgets.toml")

    def _own_path(self, given: str | None, name: str) -> Path:
        return Path(given).expanduser().absolute() if given else self.data_dir / name

    @property
    def database_copy(self) -> Path:
        """Stands there while a database file of an older version is upgraded."""
        return self.database.with_suffix(UPGRADING_SUFFIX)

    @property
    def log_dir(self) -> Path:
        """One log file a process."""
        return self.data_dir / "logs"

    @property
    def memory_limit_bytes(self) -> int:
        """`memory_limit` as a number of bytes."""
        return int(memory_bytes(self.memory_limit))

    @property
    def is_loopback(self) -> bool:
        """Whether `host` can be reached from this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def needs_admin_token(self) -> bool:
        """Whether commands are refused without `admin_token`: others can reach us, or reading needs a token already."""
        return not self.is_loopback or self.read_token is not None

    def url(self, port: int) -> str:
        """The address at which this machine reaches one of the ports; with TLS the receiver's are https."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        scheme = "https" if self.tls_certificate and port in (self.http_port, self.grpc_port) else "http"
        return (
            f"{scheme}://[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{scheme}://{host}:{port}"
        )

    def environment(self) -> dict[str, str]:
        """The settings as `SPANDECK_*`, for a child process."""
        result = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None:
                result[PREFIX + each.name.upper()] = _text(value)
        return result

    def validate(self) -> Settings:
        """The settings in their normal form, or `SettingsError` with one sentence.

        Allowed hosts become lower case without brackets, and a journal segment takes at most a quarter of the
        journal's limit (but 1 MiB), so that the journal can give back a part of itself while it is written.
        """
        self._validate_addresses()
        for name in _COUNTS:
            require(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in _TIMES:
            seconds = getattr(self, name)
            require(math.isfinite(seconds) and seconds > 0, name, seconds, "above 0 seconds")
        require(
            self.journal_segment_bytes >= _MINIMUM_SEGMENT_BYTES,
            "journal_segment_bytes",
            self.journal_segment_bytes,
            f"at least {_MINIMUM_SEGMENT_BYTES}",
        )
        require(
            self.journal_limit_bytes >= _MINIMUM_SEGMENT_BYTES,
            "journal_limit_bytes",
            self.journal_limit_bytes,
            f"at least {_MINIMUM_SEGMENT_BYTES}",
        )
        require(
            math.isfinite(self.journal_limit_s) and self.journal_limit_s >= 0,
            "journal_limit_s",
            self.journal_limit_s,
            "0 (no limit) or a number of seconds",
        )
        require(
            self.free_space_floor_bytes >= 0,
            "free_space_floor_bytes",
            self.free_space_floor_bytes,
            "0 (no floor) or a number of bytes",
        )
        require(
            memory_bytes(self.memory_limit) >= _MINIMUM_MEMORY_BYTES,
            "memory_limit",
            repr(self.memory_limit),
            "a size such as 1GB or 512MB, at least 128MB",
        )
        require(self.content_bytes >= 0, "content_bytes", self.content_bytes, "0 (store no content) or more")
        for name in _AGES:
            days, rule = getattr(self, name), f"from 0 (keep for ever) to {_MOST_DAYS} days"
            require(0 <= days <= _MOST_DAYS, name, days, rule)
        self._validate_alerts()
        require(is_zone(self.time_zone), "time_zone", repr(self.time_zone), "a zone such as UTC or Europe/Berlin")
        self._require_tokens_off_loopback()
        self._validate_tls()
        return replace(
            self,
            cors_origins=tuple(map(origin, self.cors_origins)),
            allowed_hosts=tuple(map(allowed_host, self.allowed_hosts)),
            journal_segment_bytes=min(self.journal_segment_bytes, self._most_segment_bytes),
        )

    @property
    def _most_segment_bytes(self) -> int:
        return max(self.journal_limit_bytes // _SEGMENTS_IN_LIMIT, _MINIMUM_SEGMENT_BYTES)

    def _validate_alerts(self) -> None:
        rule = f"from 0 to {_MOST_GRACE_S} seconds"
        require(0 <= self.alert_grace_s <= _MOST_GRACE_S, "alert_grace_s", self.alert_grace_s, rule)
        require(0 < self.alert_retry_s <= _MOST_GRACE_S, "alert_retry_s", self.alert_retry_s, "above 0, " + rule)

    def _validate_addresses(self) -> None:
        require(
            _HOST.fullmatch(self.host) is not None,
            "host",
            repr(self.host),
            "an address or name of this machine, without port and brackets",
        )
        taken: dict[int, str] = {}
        for name in _PORTS:
            port = getattr(self, name)
            require(0 <= port <= _HIGHEST_PORT, name, port, "a port from 0 to 65535")
            if port:
                other = taken.setdefault(port, name)
                rule = f"another port than {PREFIX}{other.upper()} has"
                require(other == name, name, port, rule)
        for name in _SECRETS:
            token = getattr(self, name)
            allowed = token is None or (token.isascii() and token.isprintable() and " " not in token)
            require(allowed, name, "(hidden)", "printable ASCII without spaces")

    def _validate_tls(self) -> None:
        for name, other in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
            if getattr(self, name) and not getattr(self, other):
                raise SettingsError(
                    f"{PREFIX}{name.upper()} is set and {PREFIX}{other.upper()} is not: TLS needs both, as PEM files."
                )

    def _require_tokens_off_loopback(self) -> None:
        if self.is_loopback:
            return
        for name in ("ingest_token", "read_token"):
            if not getattr(self, name):
                raise SettingsError(
                    f"SPANDECK_HOST is {self.host!r}, which others can reach, and {PREFIX}{name.upper()} "
                    "is not set: set a token, or bind to 127.0.0.1."
                )


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    known = {each.name for each in fields(Settings)}
    for key in values:
        if key not in known:
            raise SettingsError(f"{path} has the unknown setting {key!r}: known are {', '.join(sorted(known))}.")
    return values


def _convert(name: str, value: Any) -> Any:
    default = getattr(Settings(), name)
    try:
        if name == "data_dir":
            return Path(value).expanduser().absolute()
        if name == "alert_channels":
            return _channels(value)
        if isinstance(default, bool):
            return boolean(value)
        if isinstance(default, int | float):
            return number(value, type(default))
        if isinstance(default, tuple):
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(part.strip() for part in parts if part.strip())
        return string(value)
    except SettingsError:
        raise
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        shown = "(hidden)" if name in _HIDDEN else repr(value)
        rule = "a folder" if name == "data_dir" else _RULES.get(type(default), "a text")
        raise SettingsError(f"{PREFIX}{name.upper()} is {shown}: it must be {rule}.") from error


_RULES: Mapping[type, str] = {
    bool: "1 or 0",
    int: "a whole number",
    float: "a number",
    tuple: "a list with commas between its parts",
}


def _channels(value: Any) -> tuple[AlertChannel, ...]:
    try:
        return read_channels(value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{PREFIX}ALERT_CHANNELS is (hidden): it must be {error}.") from None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple) and value and isinstance(value[0], AlertChannel):
        return channels_text(value)
    return ",".join(value) if isinstance(value, tuple) else str(value)
