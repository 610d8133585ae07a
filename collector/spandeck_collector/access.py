"""Who may ask: the checks of Host, Origin and bearer token, the same at every HTTP port. Pure functions."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import urlsplit


class AccessError(Exception):
    """A request may not pass: `status` is 400 (its headers), 401 (its token) or 403 (a foreign name)."""

    def __init__(self, status: int, sentence: str) -> None:
        """Refuse with an HTTP status and a sentence that holds nothing a sender wrote."""
        self.status = status
        super().__init__(sentence)


def host_name(address: str) -> str:
    """The lower-case name in a `host`, `host:port`, `[address]:port` or URL; "" where there is none.

    A bare IPv6 address, as settings have it, is a name too.
    """
    try:
        return str(ipaddress.IPv6Address(address.lower()))
    except ValueError:
        pass
    try:
        name = (urlsplit(address if "//" in address else f"//{address}").hostname or "").lower().rstrip(".")
        return str(ipaddress.IPv6Address(name)) if ":" in name else name
    except ValueError:
        return ""


def host_names(host: str, allowed_hosts: Iterable[str]) -> frozenset[str]:
    """The names beside those of loopback under which a port on `host` is asked."""
    return frozenset(filter(None, map(host_name, (host, *allowed_hosts))))


def check_host(hosts: Sequence[str], origins: Sequence[str], names: Collection[str]) -> None:
    """Demand exactly one Host, and it and every Origin of `names` or loopback; raises `AccessError`.

    A page that a browser shows can reach loopback under a name of its own; such a name is foreign here.
    """
    if len(hosts) != 1:
        raise AccessError(400, "The request needs exactly one Host header.")
    for what, values in (("Host", [f"//{hosts[0]}"]), ("Origin", origins)):
        if not all(_is_known(value, names) for value in values):
            raise AccessError(
                403, f"The {what} of this request is not allowed: add its name to SPANDECK_ALLOWED_HOSTS."
            )


def check_token(authorizations: Sequence[str], token: str | None, setting: str) -> None:
    """Demand exactly one Authorization, `Bearer` (any case) and the token, where one is set; raises `AccessError`.

    `setting` names the token's variable. The comparison takes the same time for every wrong token.
    """
    if token is None:
        return
    scheme, _, given = authorizations[0].partition(" ") if len(authorizations) == 1 else ("", "", "")
    matches = hmac.compare_digest(given.lstrip(" ").encode(errors="surrogateescape"), token.encode())
    if scheme.lower() != "bearer" or not matches:
        raise AccessError(
            401, f"The bearer token is missing or wrong: send 'Authorization: Bearer ...' with {setting}."
        )


def _is_known(address: str, names: Collection[str]) -> bool:
    name = host_name(address)
    if name == "localhost" or name in names:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
