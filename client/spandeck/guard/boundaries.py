"""Two exact tests of what leaves: hosts that nobody allowed, and a mark that only the system prompt has."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import urlsplit

from spandeck.guard.recording import refusal

_ADDRESS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{0,15}:)?//[^\s<>\"'`\])}]+", re.IGNORECASE)


class Egress:
    """The hosts that arguments of tools and answers may name: globs such as "api.example.com" or "*.example.com".

    It reads addresses as they stand; what a tool builds itself is the tool's.
    """

    def __init__(self, allow: Iterable[str]) -> None:
        """Raises `TypeError` for a string in place of several globs."""
        if isinstance(allow, str):
            raise TypeError(f"Give several globs, not one string: ({allow!r},).")
        self.allow = tuple(glob.lower() for glob in allow)

    def foreign_hosts(self, value: Any) -> list[str]:
        """The hosts in `value` (text, or lists and mappings of it) that are not allowed, each once."""
        hosts = (host for text in _texts(value) for host in _hosts(text))
        return [host for host in dict.fromkeys(hosts) if not any(fnmatchcase(host, glob) for glob in self.allow)]

    def require(self, value: Any) -> None:
        """Raises `SecurityError` of kind "egress" where `value` names a host that is not allowed."""
        if foreign := self.foreign_hosts(value):
            raise refusal(f"Hosts not allowed: {', '.join(foreign)}", "egress", tuple(foreign))


class Canary:
    """A random mark for the system prompt; where an answer shows it, the prompt has leaked. No false alarms."""

    def __init__(self) -> None:
        self.text = f"ref-{os.urandom(8).hex()}"

    def leaked_in(self, answer: str) -> bool:
        """True where the mark stands in `answer`, in any case and with anything but letters and digits between."""
        return _only_alphanumeric(self.text) in _only_alphanumeric(answer)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)


def _hosts(text: str) -> Iterator[str]:
    """The host of each address; what cannot be read as an address counts as the host itself."""
    for match in _ADDRESS.finditer(text.replace("\\", "/")):
        try:
            host = urlsplit(match[0]).hostname
        except ValueError:
            host = match[0]
        if host:
            yield host.rstrip(".").lower()


def _only_alphanumeric(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))
