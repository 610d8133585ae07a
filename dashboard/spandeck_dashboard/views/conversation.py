"""The content of a trace as a conversation: every message once, although each call repeats those before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pandas as pd

from spandeck_dashboard import formats
from spandeck_dashboard.components.talk import Turn
from spandeck_dashboard.views.messages import spoken

_MOST = 300
_LONGEST = 20_000
Role = Literal["user", "assistant", "system", "tool", "other"]
_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}


def turns_of(rows: pd.DataFrame) -> list[Turn]:
    """The turns of `trace_conversation`, at most 300; what was said before is left out."""
    said: set[tuple[str, str]] = set()
    turns: list[Turn] = []
    for row in rows.to_dict("records"):
        for turn in _turns(row):
            words = (turn.role, " ".join(turn.text.split()))
            if words[1] and words not in said and len(turns) < _MOST:
                said.add(words)
                turns.append(turn)
    return turns


def _turns(row: Mapping[Any, Any]) -> Iterator[Turn]:
    if formats.is_unknown(row["content"]):
        return
    for role, text, language in spoken(str(row["content"])):
        kind = _role(row, role)
        yield Turn(
            role=kind,
            who=_who(row, kind),
            text=text[:_LONGEST],
            span_id=str(row["span_id"]),
            note=_note(row),
            folded=kind in {"tool", "system"},
            failed=row["status"] == "error" and row["side"] == "output",
            is_json=language == "json",
        )


def _role(row: Mapping[Any, Any], told: str) -> Role:
    if row["kind"] in {"tool", "retriever"}:
        return "tool"
    if row["side"] == "instructions":
        return "system"
    known = _ROLES.get(told.lower())
    return known or ("assistant" if row["side"] == "output" else "user")


def _who(row: Mapping[Any, Any], role: Role) -> str:
    if role == "tool":
        name = formats.plain(row["tool_name"]) if not formats.is_unknown(row["tool_name"]) else str(row["name"])
        return f"{formats.first_line(name, 80)} {'answers' if row['side'] in {'output', 'documents'} else 'is called'}"
    if role == "assistant":
        return formats.first_line(formats.plain(row["agent_name"]), 80) if row["agent_name"] else "Assistant"
    return {"user": "User", "system": "Instructions"}.get(role, "Other")


def _note(row: Mapping[Any, Any]) -> str:
    failed = formats.plain(row["error_type"]) if row["status"] == "error" else ""
    model = "" if formats.is_unknown(row["model"]) else str(row["model"])
    return formats.sentence_list((model, f"+{formats.duration(row['offset_ms'])}", failed))
