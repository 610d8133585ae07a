"""What the dashboard is told by its environment: one frozen object, read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

_HIGHEST_PORT = 65_535
_TRUE = frozenset({"1", "true", "yes", "on"})
_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


class ConfigError(ValueError):
    """A `SPANDECK_*` variable has a value that cannot work; the sentence names it and the rule."""


@dataclass(frozen=True)
class DashboardConfig:
    """Addresses, ports and switches of the dashboard process; ports are 0 to 65535."""

    host: str = "127.0.0.1"
    ui_port: int = 8501
    query_port: int = 4319
    http_port: int = 4318
    grpc_port: int = 4317
    read_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    sample_data: bool = False
    supervised: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> DashboardConfig:
        """Read `SPANDECK_*`; raises `ConfigError` for a port that is none."""
        env = os.environ if environ is None else environ
        default = cls()
        return cls(
            host=env.get("SPANDECK_HOST") or default.host,
            ui_port=_port(env, "SPANDECK_UI_PORT", default.ui_port),
            query_port=_port(env, "SPANDECK_QUERY_PORT", default.query_port),
            http_port=_port(env, "SPANDECK_HTTP_PORT", default.http_port),
            grpc_port=_port(env, "SPANDECK_GRPC_PORT", default.grpc_port),
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
    def host_names(self) -> tuple[str, ...]:
        """The Host headers that are answered: loopback, the bound host and `SPANDECK_ALLOWED_HOSTS`."""
        return tuple(dict.fromkeys((*_LOOPBACK, self.reachable_host, *self.allowed_hosts)))

    def url(self, port: int) -> str:
        """The address of one of the collector's ports, without a path."""
        host = self.reachable_host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) > _HIGHEST_PORT:
        raise ConfigError(f"{name} is {text!r}: set it to a port from 0 to {_HIGHEST_PORT}.")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
