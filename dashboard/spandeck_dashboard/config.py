"""What the dashboard is told by its environment: one frozen object, read once."""

from __future__ import annotations

import ipaddress
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_HIGHEST_PORT = 65_535
_TRUE = frozenset({"1", "true", "yes", "on"})
_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
_ANSWER_TRAVELS_S = 5.0


class ConfigError(ValueError):
    """A `SPANDECK_*` variable has a value that cannot work; the sentence names it and the rule."""


@dataclass(frozen=True)
class DashboardConfig:
    """Addresses, ports and switches of the dashboard process; ports are 0 to 65535, host names without port."""

    host: str = "127.0.0.1"
    ui_port: int = 8501
    query_port: int = 4319
    http_port: int = 4318
    grpc_port: int = 4317
    query_timeout_s: float = 10.0
    query_max_rows: int = 100_000
    query_max_bytes: int = 64 << 20
    read_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    sample_data: bool = False
    supervised: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> DashboardConfig:
        """Read `SPANDECK_*`; raises `ConfigError` for a port or a time that is none."""
        env = os.environ if environ is None else environ
        default = cls()
        return cls(
            host=env.get("SPANDECK_HOST") or default.host,
            ui_port=_port(env, "SPANDECK_UI_PORT", default.ui_port),
            query_port=_port(env, "SPANDECK_QUERY_PORT", default.query_port),
            http_port=_port(env, "SPANDECK_HTTP_PORT", default.http_port),
            grpc_port=_port(env, "SPANDECK_GRPC_PORT", default.grpc_port),
            query_timeout_s=_seconds(env, "SPANDECK_QUERY_TIMEOUT_S", default.query_timeout_s),
            query_max_rows=_whole(env, "SPANDECK_QUERY_MAX_ROWS", default.query_max_rows),
            query_max_bytes=_whole(env, "SPANDECK_QUERY_MAX_BYTES", default.query_max_bytes),
            read_token=env.get("SPANDECK_READ_TOKEN") or None,
            allowed_hosts=_names(env.get("SPANDECK_ALLOWED_HOSTS", "")),
            sample_data=env.get("SPANDECK_SAMPLE_DATA", "").strip().lower() in _TRUE,
            supervised=env.get("SPANDECK_SUPERVISED", "").strip().lower() in _TRUE,
        )

    @property
    def reachable_host(self) -> str:
        """The host under which this machine reaches the collector: a wildcard becomes loopback."""
        return _EVERY_INTERFACE.get(self.host, self.host)

    @property
    def answer_timeout_s(self) -> float:
        """How long an answer is waited for: what a query may run, and its way here."""
        return self.query_timeout_s + _ANSWER_TRAVELS_S

    @property
    def host_names(self) -> tuple[str, ...]:
        """The Host headers that are answered: loopback, the bound host and `SPANDECK_ALLOWED_HOSTS`."""
        return tuple(dict.fromkeys((*_LOOPBACK, self.reachable_host, *self.allowed_hosts)))

    def url(self, port: int) -> str:
        """The address of one of the collector's ports, without a path."""
        host = self.reachable_host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def host_name(host: str) -> str:
    """The lower-case name in `name`, `name:port`, `address` or `[address]:port`; "" where there is none."""
    is_bare_ipv6 = host.count(":") > 1 and "[" not in host
    try:
        name = (urlsplit(f"//[{host}]" if is_bare_ipv6 else f"//{host}").hostname or "").rstrip(".")
        return str(ipaddress.IPv6Address(name)) if ":" in name else name
    except ValueError:
        return ""


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) > _HIGHEST_PORT:
        raise ConfigError(f"{name} is {text!r}: set it to a port from 0 to {_HIGHEST_PORT}.")
    return int(text)


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    """A cap that is only told here; the store reads and checks it."""
    text = env.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() else default


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "").strip()
    try:
        seconds = float(text or default)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise ConfigError(f"{name} is {text!r}: set it to a number of seconds above 0.")
    return seconds


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (host_name(each.strip()) for each in text.split(","))))
