"""Sockets on one host: IPv4 loopback comes with `::1`, since many exporters resolve localhost to it first."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass, field

_TRIES_FOR_A_COMMON_PORT = 20
_LOOPBACK = ("127.0.0.1", "::1")


class ListenError(Exception):
    """An address cannot be listened on; one sentence that names port and setting."""


@dataclass
class Listeners:
    """Bound sockets of one port, and what is to be told about an address that could not be had."""

    port: int
    sockets: list[socket.socket] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    warning: str | None = None

    def add(self, bound: socket.socket) -> None:
        """Keep a bound socket, and its address as `host:port`, IPv6 in brackets."""
        host = bound.getsockname()[0]
        self.sockets.append(bound)
        self.addresses.append(f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}")

    def close(self) -> None:
        """Let go of the port."""
        for bound in self.sockets:
            bound.close()


def bind(host: str, port: int, setting: str) -> Listeners:
    """Bind `port` (0: any free one) on `host`; on `127.0.0.1` and `localhost` also on `::1`.

    Raises `ListenError` where `host` cannot be had; where only `::1` cannot, `warning` says so.
    """
    first, *others = _LOOPBACK if host in ("127.0.0.1", "localhost") else (host,)
    for _ in range(_TRIES_FOR_A_COMMON_PORT):
        listeners = _bind_first(first, port, setting)
        for other in others:
            try:
                listeners.add(_bound(other, listeners.port))
            except OSError as error:
                listeners.warning = _warning(other, listeners.port, setting, error)
                if port == 0 and error.errno == errno.EADDRINUSE:
                    break
        else:
            return listeners
        listeners.close()
    return _bind_first(first, port, setting)


def _bind_first(host: str, port: int, setting: str) -> Listeners:
    try:
        bound = _bound(host, port)
    except OSError as error:
        raise ListenError(_sentence(host, port, setting, error)) from error
    listeners = Listeners(bound.getsockname()[1])
    listeners.add(bound)
    return listeners


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        bound.bind(address)
        bound.listen(1)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _sentence(host: str, port: int, setting: str, error: OSError) -> str:
    where = f"Port {port} ({setting}) on {host}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use: stop the other program or set {setting} to a free port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where} may not be opened by this user: set {setting} to a port above 1023."
    return f"{where} cannot be opened ({error.strerror}): set SPANDECK_HOST to an address of this machine."


def _warning(host: str, port: int, setting: str, error: OSError) -> str:
    return (
        f"Port {port} ({setting}) on {host} cannot be opened ({error.strerror}): exporters that resolve "
        f"localhost to {host} must be given 127.0.0.1."
    )
