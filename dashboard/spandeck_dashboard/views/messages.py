"""Prompts and answers as they were spoken: who, and the words; anything else as it came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from spandeck_dashboard import formats

_WHOLE = 1_000_000
_FLAT_KEY = re.compile(r"[0-9]+(?:\.(?:message|document|prompt|completion|tool)(?![^.]))?(?:\.|$)")

Spoken = tuple[str, str, str | None]


def spoken(text: str) -> list[Spoken]:
    """Role, text and language (`json` or None) of each message of an attribute; empty for no text.

    Reads the message lists of the OpenTelemetry GenAI conventions (`role`, `parts`) and of the providers
    (`role`, `content`), and lists of messages told key by key (`0.message.role`) or event by event (`event`);
    what is none of these becomes one entry without a role.
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
    except (ValueError, RecursionError):
        return None
    if isinstance(known, dict) and isinstance(known.get("messages"), list):
        known = known["messages"]
    if not isinstance(known, list) or not known:
        return None
    if not all(isinstance(each, dict) for each in known):
        return None
    messages = [_plain_message(each) for each in known]
    return messages if all({"role", "parts", "content"} & each.keys() for each in messages) else None


def _plain_message(told: dict[str, Any]) -> dict[str, Any]:
    """A message with `role` and `parts`, where it was told key by key or as an event; others as they are."""
    if told and all(_FLAT_KEY.match(key) for key in told):
        known = {_FLAT_KEY.sub("", key, count=1): value for key, value in told.items()}
        role, content = known.pop("role", ""), known.pop("content", None)
        return {"role": role, "parts": [part for part in (content, known or None) if part is not None]}
    if "event" in told:
        name = str(told["event"])
        role = told.get("role") or (name.split(".")[-2:-1] or [""])[0]
        fields = [value for key, value in told.items() if key not in ("event", "role")]
        role = "assistant" if name.endswith(".choice") else role
        return {"role": role, "parts": [part for field in fields for part in _parts(field)]}
    return told


def _parts(field: Any) -> list[Any]:
    """The parts in a field of an event, which may be JSON in a text or a whole message."""
    if isinstance(field, str) and field[:1] in ("[", "{"):
        try:
            field = json.loads(field)
        except (ValueError, RecursionError):
            return [field]
    if isinstance(field, dict) and "content" in field and "type" not in field:
        field = field["content"]
    return field if isinstance(field, list) else [field]


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
