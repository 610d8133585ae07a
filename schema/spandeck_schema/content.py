"""Which attributes, events and log records are content: `content.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

SIDES = ("instructions", "input", "output", "tools", "documents")
_MEMBER = re.compile(r"(.+?)\.([0-9]+(?:\..*)?)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """Where an attribute goes: the content value `name` on `side`; a family's member goes under its key `member`."""

    side: str
    name: str
    member: str | None = None


@dataclass(frozen=True)
class EventContent:
    """What of an event is content: its `fields`, gathered on `side` under `name`."""

    side: str
    name: str
    fields: frozenset[str]


@dataclass(frozen=True)
class ContentRules:
    """The parsed blocks: `sides` by attribute, `families` (sides by name before the index), `events` by event name."""

    sides: dict[str, str]
    families: dict[str, str]
    events: dict[str, EventContent]

    def place(self, attribute: str) -> Place | None:
        """Where the content of an attribute goes; None for what is no content."""
        side = self.sides.get(attribute)
        if side is not None:
            return Place(side, attribute)
        found = _MEMBER.fullmatch(attribute)
        if found is None or found[1] not in self.families:
            return None
        return Place(self.families[found[1]], found[1], found[2])


def load_content(text: str | None = None) -> ContentRules:
    """Parse `text`, or the packaged `content.toml`.

    Raises `ValueError` for an unknown side, and for events without a name or fields.
    """
    data = tomllib.loads(text or files(__package__).joinpath("content.toml").read_text(encoding="utf-8"))
    rules = ContentRules({}, {}, {})
    for block in data["content"]:
        side = block["side"]
        if side not in SIDES:
            raise ValueError(f"A content block has the side {side!r}: it must be one of {', '.join(SIDES)}.")
        rules.sides.update(dict.fromkeys(block.get("attributes", ()), side))
        rules.families.update(dict.fromkeys(block.get("indexed", ()), side))
        rules.events.update(dict.fromkeys(block["events"], _event(block)) if "events" in block else {})
    return rules


def _event(block: dict[str, Any]) -> EventContent:
    if "name" not in block or "fields" not in block:
        raise ValueError(f"The content block of the events {block['events']!r} needs a name and fields.")
    return EventContent(block["side"], block["name"], frozenset(block["fields"]))
