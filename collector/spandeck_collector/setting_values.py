"""What the value of a setting may be, and how it is read from a text."""

from __future__ import annotations

import re
from typing import Any

from spandeck_collector.access import host_name

PREFIX = "SPANDECK_"
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT])(i?)B", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)


class SettingsError(ValueError):
    """A setting has a value that cannot work; the sentence names the setting, the value and the rule."""


def require(holds: bool, name: str, value: object, rule: str) -> None:
    """Raise `SettingsError` where the rule does not hold."""
    if not holds:
        raise SettingsError(f"{PREFIX}{name.upper()} is {value}: it must be {rule}.")


def memory_bytes(text: str) -> float:
    """Bytes of a size such as 1GB (powers of 1000) or 1GiB (of 1024); 0 for what is none."""
    found = _MEMORY.fullmatch(text)
    if found is None:
        return 0
    number, unit, binary = found.groups()
    base = 1024 if binary else 1000
    return float(number) * float(base ** ("KMGT".index(unit.upper()) + 1))


def allowed_host(text: str) -> str:
    """A host name as `access.host_name` finds it in a Host header."""
    bare = text.removeprefix("[").removesuffix("]")
    name = host_name(bare)
    is_name = name != "" and (":" in name or name == bare.lower().rstrip("."))
    require(is_name, "allowed_hosts", repr(text), "host names or addresses, without port and scheme")
    return name


def origin(text: str) -> str:
    """A web origin as a browser sends it: `scheme://host`, with the port where it is not the scheme's own."""
    require(
        _ORIGIN.fullmatch(text) is not None,
        "cors_origins",
        repr(text),
        "origins such as https://app.example.org:8443, each named whole: * is not taken",
    )
    return text.lower()


def number(value: Any, kind: type[int] | type[float]) -> int | float:
    """A number of this kind; raises `TypeError` or `ValueError`."""
    if isinstance(value, bool) or (kind is int and isinstance(value, float)):
        raise TypeError(value)
    return kind(value)


def string(value: Any) -> str:
    """A text as it is; raises `TypeError` for anything else."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def boolean(value: Any) -> bool:
    """What 1, 0 and the usual words mean; raises `ValueError` for another."""
    lowered = str(value).strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off"}:
        return False
    raise ValueError(value)
