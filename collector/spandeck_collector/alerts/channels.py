"""Where alerts are sent: channels of spandeck.toml, each with what it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from spandeck_collector.alerts.rule import SEVERITIES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_KEYS = ("name", "url", "severity", "rules")


@dataclass(frozen=True)
class AlertChannel:
    """One channel: `url` as apprise reads it (it may hold a secret), for alerts of `severity` or graver.

    `rules` are names or patterns such as `cost_*`.
    """

    name: str
    url: str
    severity: str = "warning"
    rules: tuple[str, ...] = ("*",)

    def takes(self, rule: str, severity: str) -> bool:
        """Whether an alert goes here."""
        is_grave = SEVERITIES.index(severity) >= SEVERITIES.index(self.severity)
        return is_grave and any(fnmatchcase(rule, pattern) for pattern in self.rules)


def read_channels(value: Any) -> tuple[AlertChannel, ...]:
    """Channels of TOML tables, or of the same as JSON.

    Raises `ValueError` with the rule that is broken, never with a URL.
    """
    tables = json.loads(value) if isinstance(value, str) else value
    if not isinstance(tables, list | tuple) or not all(isinstance(table, Mapping) for table in tables):
        raise ValueError("a list of tables [[alert_channels]] with name and url")
    channels = tuple(map(_channel, tables))
    if len({channel.name for channel in channels}) < len(channels):
        raise ValueError("tables with different names")
    return channels


def channels_text(channels: Iterable[AlertChannel]) -> str:
    """The channels as JSON, for a child process."""
    return json.dumps([asdict(channel) for channel in channels])


def _channel(table: Mapping[str, Any]) -> AlertChannel:
    for key in table:
        if key not in _KEYS:
            raise ValueError(f"tables with no other keys than {', '.join(_KEYS)}")
    name, url, severity = (
        table.get(key, default) for key, default in (("name", ""), ("url", ""), ("severity", "warning"))
    )
    rules = table.get("rules", ["*"])
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("tables with a name of letters, digits, dot, dash and underscore")
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise ValueError(f"tables with a url such as json://host/path (channel {name})")
    if severity not in SEVERITIES:
        raise ValueError(f"tables with a severity of {', '.join(SEVERITIES)} (channel {name})")
    if not isinstance(rules, list | tuple) or not all(isinstance(rule, str) for rule in rules):
        raise ValueError(f"tables with rules as a list of names (channel {name})")
    return AlertChannel(name, url, severity, tuple(rules))
