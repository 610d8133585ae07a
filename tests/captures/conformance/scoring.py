"""Compares the rows of a backend with the truths of a scenario, in one sentence for each difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

COUNTS = (
    "span_count",
    "error_span_count",
    "llm_call_count",
    "failed_llm_call_count",
    "embedding_call_count",
    "tool_call_count",
    "failed_tool_call_count",
)
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
FIRST_TOKENS = "time_to_first_token_ms"
_COUNT_TRUTHS = {
    "span_count": "spans",
    "error_span_count": "error_spans",
    "embedding_call_count": "embedding_calls",
    "llm_call_count": "llm_calls",
    "failed_llm_call_count": "llm_calls_failed",
    "tool_call_count": "tool_spans",
    "failed_tool_call_count": "tool_failures",
}
"""What the manifest calls the truth of each count; a scenario without that truth is not asked for it."""


def differences(expected: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    """What is wrong with the `rows` of a scenario's traces; empty when they are right."""
    return [
        *_counts(expected, rows),
        *_tokens(expected, rows),
        *_agents(expected, rows),
        *_first_tokens(expected, rows),
    ]


def total(rows: Iterable[Row], column: str) -> Any:
    """The sum of what is known, None when nothing is."""
    known = [row[column] for row in rows if row.get(column) is not None]
    return sum(known) if known else None


def _counts(expected: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    gaps = expected.get("not_in_payload", {})
    return [
        sentence
        for column, truth in _COUNT_TRUTHS.items()
        if truth in expected
        for sentence in _difference(column, [gaps.get(truth, expected[truth])], total(rows, column))
    ]


def _tokens(expected: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    gaps = expected.get("not_in_payload", {})
    if expected["tokens"] is None:
        return [] if "tokens" in gaps else _unknown_tokens(rows)
    wrong = []
    for column in TOKENS:
        allowed = [gaps[column] if column in gaps else expected["tokens"].get(column, 0)]
        embedded = expected.get("embedding_input_tokens", 0)
        if column == "input_tokens" and column not in gaps and embedded:
            allowed.append(allowed[0] + embedded)
        wrong += _difference(column, allowed, total(rows, column))
    return wrong


def _unknown_tokens(rows: Sequence[Row]) -> list[str]:
    got = {column: total(rows, column) for column in ("input_tokens", "output_tokens")}
    return [f"{column}: expected NULL (unknown), got {value}" for column, value in got.items() if value is not None]


def _agents(expected: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    if "agents" not in expected or "agents" in expected.get("not_in_payload", {}):
        return []
    seen = {name for row in rows for name in row.get("agent_names") or []}
    missing = set(expected["agents"]) - seen
    return [f"agent_names: {sorted(missing)} missing from {sorted(seen)}"] if missing else []


def _first_tokens(expected: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    truth = expected.get("ttft_ms_in_payload")
    if not truth:
        return []
    got = sorted(float(value) for row in rows for value in row.get(FIRST_TOKENS) or [])
    if len(truth) == len(got) and all(map(_is_close, sorted(truth), got)):
        return []
    return [f"{FIRST_TOKENS}: expected {truth}, got {got}"]


def _is_close(truth_ms: float, got_ms: float) -> bool:
    return abs(truth_ms - got_ms) <= max(1.0, 0.01 * truth_ms)


def _difference(name: str, allowed: Sequence[Any], value: Any) -> list[str]:
    """Nothing at all is as good as 0, because many backends store no zeros."""
    if value in allowed or (value is None and 0 in allowed):
        return []
    return [f"{name}: expected {' or '.join(map(str, allowed))}, got {value}"]
