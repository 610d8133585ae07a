"""Log records that stand for a call: the blocks `log_spans` of `attributes.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files

DETAILS = "spandeck.log.details"
"""Attribute of a span made of a record that adds to what its parent tells."""


@dataclass(frozen=True)
class LogSpan:
    """How a log record of one of `events`, in a scope like one of `scopes`, becomes a span.

    `name` is the span's name and `attributes` what it has beside the record's own; the values of `trace_from` make
    its trace, `duration_ms` names the attribute with its length. It failed where `failed` says so or where an
    attribute has the value that `failed_if` names; `message` names the attribute that tells why. Of `details` a record
    that names a span only adds to what that span tells.
    """

    name: str
    events: tuple[str, ...]
    scopes: tuple[str, ...]
    attributes: dict[str, str | None]
    trace_from: tuple[str, ...]
    duration_ms: str
    failed: bool
    failed_if: dict[str, str]
    message: str
    details: bool

    def is_in(self, scope: str) -> bool:
        """Whether records of this scope are meant."""
        return any(fnmatchcase(scope, pattern) for pattern in self.scopes)

    def added(self, *, names_span: bool) -> dict[str, str | None]:
        """The attributes that the span of a record has beside the record's own."""
        return self.attributes | ({DETAILS: "true"} if self.details and names_span else {})

    def has_failed(self, attributes: Mapping[str, str | None]) -> bool:
        """Whether a record with these attributes tells of a failed call."""
        return self.failed or any(attributes.get(name) == value for name, value in self.failed_if.items())


def load_log_spans(text: str | None = None) -> dict[str, LogSpan]:
    """The blocks of `text`, or of the packaged `attributes.toml`, by event name."""
    data = tomllib.loads(text or files(__package__).joinpath("attributes.toml").read_text(encoding="utf-8"))
    blocks = [
        LogSpan(
            name=block["name"],
            events=tuple(block["events"]),
            scopes=tuple(block["scopes"]),
            attributes=block.get("attributes", {}),
            trace_from=tuple(block.get("trace_from", ())),
            duration_ms=block.get("duration_ms", ""),
            failed=block.get("failed", False),
            failed_if=block.get("failed_if", {}),
            message=block.get("message", ""),
            details=block.get("details", False),
        )
        for block in data.get("log_spans", ())
    ]
    return {event: block for block in blocks for event in block.events}
