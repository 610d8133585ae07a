"""Prompts and answers as they were spoken: who, and the words; anything else as it came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spandeck_dashboard import formats

_WHOLE = 1_000_000

Spoken = tuple[str, str, str | None]


def spoken(text: str) -> list[Spoken]:
    """Role, text and language (`json` or None) of each message of an attribute; empty for no text.

    Reads the message lists of the OpenTelemetry GenAI conventions (`role`, `parts`) and of the providers
    (`role`, `content`); what is neither becomes one entry without a role.
    """
    if not text:
        return []
    messages = _messages(text)
    if messages is None:
        return [("", *formats.pretty(text, _WHOLE))]
    return [entry for message in messages for entry in _entries(message)]


def _messages(text: str) -> list[dict[str, Any]] | None:
    try:
        known = json.loads(text)
    except ValueError:
        return None
    if isinstance(known, dict) and isinstance(known.get("messages"), list):
        known = known["messages"]
    if not isinstance(known, list) or not known:
        return None
    if not all(isinstance(each, dict) and ({"role", "parts", "content"} & each.keys()) for each in known):
        return None
    return known


def _entries(message: dict[str, Any]) -> Iterator[Spoken]:
    role = str(message.get("role") or "")
    parts = message.get("parts", message.get("content"))
    for part in parts if isinstance(parts, list) else [parts]:
        words = _words(part)
        if words is not None:
            yield role, words, None
        elif part is not None:
            yield role, json.dumps(part, indent=1, ensure_ascii=False), "json"


def _words(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type", "text") == "text":
        words = part.get("content", part.get("text"))
        return words if isinstance(words, str) else None
    return None
