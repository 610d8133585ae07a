"""The law that every sum agrees: of calls, traces, sessions, days and counted spans."""

from typing import Any

import pytest

from .sandbox import Sandbox

COUNTERS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")


def check_sums(sandbox: Sandbox) -> None:
    """Calls, traces, sessions, days and spans have the same totals."""
    counters = ", ".join(f"sum({name}) as {name}" for name in COUNTERS)
    calls = sandbox.row(f"select {counters}, sum(reasoning_tokens) as reasoning_tokens from llm_calls")
    assert sandbox.row(f"select {counters}, sum(reasoning_tokens) as reasoning_tokens from traces") == approx(calls)
    del calls["reasoning_tokens"]
    for view in ("cost_by_day", "cost_by_session"):
        assert sandbox.row(f"select {counters} from {view}") == approx(calls)
    metrics = "sum(input_tokens) as i, sum(output_tokens) as o, sum(cost_usd) as c, sum(unpriced_call_count) as u"
    assert sandbox.row(f"select {metrics} from production_metrics") == approx(
        sandbox.row(f"select {metrics} from traces")
    )
    check_sessions(sandbox, counters)
    check_counts(sandbox)


def check_sessions(sandbox: Sandbox, counters: str) -> None:
    """A session has what its calls have."""
    order = "where session_id in (select session_id from cost_by_session) group by session_id order by session_id"
    found = sandbox.rows(f"select session_id, {counters} from sessions {order}")
    assert found == [approx(row) for row in sandbox.rows(f"select session_id, {counters} from cost_by_session {order}")]


def check_counts(sandbox: Sandbox) -> None:
    """Traces count the calls that are rows, by kind."""
    counted = sandbox.row(
        "select count(*) filter (kind = 'llm') as llm, count(*) filter (kind = 'embedding') as embedding,"
        " (select count(*) from tool_calls) as tool from llm_calls"
    )
    summed = sandbox.row(
        "select coalesce(sum(llm_call_count), 0) as llm, coalesce(sum(embedding_call_count), 0) as embedding,"
        " coalesce(sum(tool_call_count), 0) as tool from traces"
    )
    assert summed == counted


def approx(row: dict[str, Any]) -> dict[str, Any]:
    """A row to compare with: floats within what the order of a sum changes."""
    return {name: pytest.approx(cell, rel=1e-12) if isinstance(cell, float) else cell for name, cell in row.items()}
