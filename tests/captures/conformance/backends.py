"""Where rows come from, one a trace: Spandeck's query service, an adapter's output, or a file."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from .feeding import post
from .scoring import COUNTS, FIRST_TOKENS, TOKENS, Row, total

Ask: TypeAlias = Callable[[], list[Row]]

TRACES_SQL = f"SELECT trace_id, {', '.join(COUNTS + TOKENS)}, agent_names FROM traces"
CALLS_SQL = f"SELECT trace_id, {FIRST_TOKENS} FROM llm_calls WHERE {FIRST_TOKENS} IS NOT NULL ORDER BY started_at"
_LOOK_S = 0.5
_STILL_S = 1.0
_ADAPTER_S = 300


class AnswerError(Exception):
    """A backend gave no rows; the sentence says what it gave instead."""


def with_first_tokens(traces: Iterable[Row], calls: Iterable[Row]) -> list[Row]:
    """The rows of `TRACES_SQL`, each with the times to first token of its calls from `CALLS_SQL`."""
    times: dict[str, list[float]] = {}
    for call in calls:
        times.setdefault(call["trace_id"], []).append(call[FIRST_TOKENS])
    return [row | {FIRST_TOKENS: times.get(row["trace_id"], [])} for row in traces]


def ask_spandeck(query_url: str, headers: dict[str, str]) -> list[Row]:
    """Rows from the views `traces` and `llm_calls`; raises `urllib.error.URLError`."""

    def rows(sql: str) -> list[Row]:
        said = headers | {"Content-Type": "application/json", "Accept": "application/json"}
        answer = json.loads(post(query_url, json.dumps({"sql": sql}).encode(), said))
        return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]

    return with_first_tokens(rows(TRACES_SQL), rows(CALLS_SQL))


def ask_adapter(command: str) -> list[Row]:
    """Rows that a command prints; raises `AnswerError` when it fails or prints something else."""
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, check=False, timeout=_ADAPTER_S)
    if done.returncode:
        raise AnswerError(f"The adapter {command!r} ended with exit code {done.returncode}: see what it wrote above.")
    return parse_rows(done.stdout, f"the adapter {command!r}")


def read_answers(path: Path) -> list[Row]:
    """Rows of a file; raises `OSError`, or `AnswerError` when something else is in it."""
    return parse_rows(path.read_bytes(), str(path))


def parse_rows(text: bytes, source: str) -> list[Row]:
    """A JSON array of objects, or an object a line; raises `AnswerError` that names `source`."""
    try:
        rows: Any = json.loads(text) if text.lstrip().startswith(b"[") else [*map(json.loads, text.splitlines())]
    except ValueError as error:
        raise AnswerError(f"What came from {source} is not JSON ({error}): print one JSON object a trace.") from error
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("trace_id"), str):
            raise AnswerError(f"A row from {source} has no trace_id: {json.dumps(row)[:200]}")
    return [row | {"trace_id": row["trace_id"].lower()} for row in rows]


def settled(ask: Ask, span_count: int, wait_s: float) -> list[Row]:
    """The rows once they hold `span_count` spans and stay the same for a second, at the latest after `wait_s`."""
    deadline = time.monotonic() + wait_s
    rows = ask()
    while time.monotonic() < deadline and (total(rows, "span_count") or 0) < span_count:
        time.sleep(_LOOK_S)
        rows = ask()
    before: Sequence[Row] | None = None
    while time.monotonic() < deadline and _sorted(rows) != before:
        before = _sorted(rows)
        time.sleep(_STILL_S)
        rows = ask()
    return rows


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["trace_id"]))
