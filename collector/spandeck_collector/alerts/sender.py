"""`python -m spandeck_collector.alerts.sender`: sends messages with apprise; one JSON line in, one out.

A process of its own, because libraries that talk to many services may hang, leak and connect as they like: it can be
killed, and every connection that it opens is checked where it is opened, with the address that is used. A name that
resolves anew in between, or a redirect, leads nowhere else.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import os
import sys
from typing import Any

INSTALL_LINE = "pip install 'spandeck[alerts]'"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LONGEST_ERROR = 300


def what_is_missing() -> str | None:
    """A sentence when messages cannot be sent from this installation, else None."""
    if importlib.util.find_spec("apprise") is None:
        return f"apprise is not installed: {INSTALL_LINE}."
    return None


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it is an IPv4 address inside an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64:
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF))
        if any(each is not None and not each.is_global for each in inner):
            return False
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped.is_global and not ip.ipv4_mapped.is_multicast
    return ip.is_global and not ip.is_multicast


def close_private_targets() -> None:
    """From now on this process connects to public addresses alone; what asks for another gets `PermissionError`."""
    for name in _PROXIES:
        # A proxy would connect in our stead, to whatever it is told.
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("socket.connect", "socket.sendto"):
            return
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) and address else ""
        if not is_public(str(host)):
            raise PermissionError(f"{host or 'A local socket'} is no public address (SPANDECK_ALERT_PRIVATE_TARGETS).")

    sys.addaudithook(look)


def send(order: dict[str, Any]) -> str | None:
    """Send one message; what went wrong, None when it was taken."""
    try:
        import apprise  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        return f"apprise is not installed: {INSTALL_LINE}."
    target = apprise.Apprise()
    if not target.add(order["url"]):
        return "apprise does not understand the channel's url."
    kind = {"info": apprise.NotifyType.INFO, "warning": apprise.NotifyType.WARNING}.get(
        order["kind"], apprise.NotifyType.FAILURE
    )
    capture: Any = apprise.LogCapture
    with capture(level=apprise.logging.WARNING, fmt="%(message)s") as log:
        if target.notify(body=order["body"], title=order["title"], notify_type=kind):
            return None
        said = " ".join(log.getvalue().split())
    return (said or "The channel did not take the message.").replace(order["url"], "the url")[:_LONGEST_ERROR]


def main() -> int:
    """Send until stdin ends."""
    if os.environ.get("SPANDECK_ALERT_PRIVATE_TARGETS") != "1":
        close_private_targets()
    for line in sys.stdin:
        try:
            error = send(json.loads(line))
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"[:_LONGEST_ERROR]
        print(json.dumps({"error": error}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
