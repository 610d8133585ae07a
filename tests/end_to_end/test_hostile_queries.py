"""Queries that would take the store down, while spans arrive: each ends, and no acknowledged span is lost."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from spandeck_collector.query_client import AskError, ask_json
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually

from .senders import sending

STUCK = "select levenshtein(repeat('a', 400000), repeat('b', 400000))"
CROSS_JOIN = "select count(*) from range(10000000000) a, range(1000) b"
OTHERS = (
    "with recursive r as (select 1 as x union all select x + 1 from r) select count(*) from r",
    "select length(repeat('x', 1000000000))",
    "select list_sort(range(30000000))[1]",
    "select len(array_agg(range)) from range(1000000000)",
    "select count(*) from range(50000000) a join range(50000000) b on a.range = b.range",
    "select md5(string_agg(repeat('x', 100000), '')) from range(100000)",
    "select regexp_matches(repeat('a', 30000000), '(a*)*b')",
    "select count(*) from (select unnest(range(100000000)))",
)
_BACK_WITHIN_S = 5.0


@pytest.mark.integration
def test_a_query_that_ends_the_store_costs_no_acknowledged_span(tmp_path: Path) -> None:
    _survive(tmp_path, [CROSS_JOIN, STUCK])


@pytest.mark.chaos
def test_every_heavy_query_ends_and_costs_no_acknowledged_span(tmp_path: Path) -> None:
    _survive(tmp_path, [CROSS_JOIN, *OTHERS, STUCK])


@pytest.mark.chaos
def test_the_store_is_back_within_five_seconds(tmp_path: Path) -> None:
    with ready_stack(tmp_path, "up", "--no-ui", query_timeout_s=0.5) as stack:
        process_id = stack.children()["store"]
        _ask(stack, STUCK)
        eventually(lambda: process_id not in stack.children().values(), "the end of the store")
        ended_at = time.monotonic()
        assert stack.span_count() == 0
        assert time.monotonic() - ended_at < _BACK_WITHIN_S


def _survive(folder: Path, statements: Sequence[str]) -> None:
    with ready_stack(
        folder, "up", "--no-ui", query_timeout_s=0.5, memory_limit="300MB", query_max_rows=1 << 20
    ) as stack:
        receiver = stack.children()["receiver"]
        with sending(stack.settings.http_port, senders=2, traces_a_request=3, pause_s=0.1) as ledgers:
            for sql in statements:
                _ask(stack, sql)
                before = stack.span_count()
                eventually(lambda before=before: stack.span_count() > before, f"more spans after {sql}")  # type: ignore[misc]
        span_ids = sorted(span_id for ledger in ledgers for span_id in ledger.span_ids)
        assert sum(ledger.retry_count for ledger in ledgers) == 0
        assert stack.children()["receiver"] == receiver
        eventually(lambda: stack.span_count() >= len(span_ids), "all acknowledged spans")
        assert [row[0] for row in stack.rows("select span_id from spans order by span_id")] == span_ids


def _ask(stack: Stack, sql: str) -> None:
    """Ask what is refused, or ends the store before it can answer; it may also be answered, if it is quick."""
    try:
        columns, rows = ask_json(stack.settings.url(stack.settings.query_port), sql)
    except AskError:
        return
    assert len(columns) == len(rows) == 1
