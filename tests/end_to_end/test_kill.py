"""kill -9 at any moment: what was acknowledged is stored, once."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from spandeck_collector.journal import Signal
from tests.collector.store_fixtures import Store, journal, running_store, trace_request
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import DEADLINE_S, eventually

from .senders import CALLS_A_TRACE, INPUT_TOKENS, TRACE_SPANS, Ledger, sending

_SMALL_SEGMENT_BYTES = 1 << 20
_SMALL_CHECKPOINT_ROWS = 1_500
_EVERY_ROW = 1_000_000
_SQL = """
select
    (select count(*) from spans) as span_count,
    (select count(distinct span_id) from spans) as different_span_count,
    (select sum(span_count)::bigint from traces) as settled_span_count,
    (select count(*) from llm_calls) as call_count,
    (select sum(input_tokens)::bigint from llm_calls) as input_tokens,
    (select sum(stored_count)::bigint from ingest_health) as counted_span_count
"""

_NEW = """
select count(*), count(distinct span_id) from spans where received_at > now()::timestamp - interval 1 day
"""


@pytest.mark.integration
def test_ten_kills_under_load_lose_no_acknowledged_span_and_store_none_twice(tmp_path: Path) -> None:
    _kill_under_load(tmp_path, ["receiver", "store"] * 5, senders=3, pause_s=0.1)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(3))
def test_thirty_kills_under_heavier_load_lose_no_acknowledged_span_and_store_none_twice(
    tmp_path: Path, seed: int
) -> None:
    victims = random.Random(seed).choices(["receiver", "store"], k=30)
    _kill_under_load(tmp_path, victims, senders=5, pause_s=0.15)


@pytest.mark.integration
def test_kills_while_old_spans_are_deleted_and_the_file_is_written_lose_nothing(tmp_path: Path) -> None:
    _kill_while_deleting(tmp_path, times=10)


@pytest.mark.chaos
def test_many_kills_while_old_spans_are_deleted_and_the_file_is_written_lose_nothing(tmp_path: Path) -> None:
    _kill_while_deleting(tmp_path, times=45)


def _kill_while_deleting(folder: Path, times: int) -> None:
    """Before each kill come old spans, which the store deletes at its next start, and new ones, which stay."""
    dice = random.Random(11)
    old_ns = time.time_ns() - 40 * 86_400 * 10**9
    with journal(folder) as writer:
        for number in range(times):
            first = number * 1_000 + 1
            for received_ns, begin in ((old_ns, first), (time.time_ns(), first + 500)):
                body = trace_request(range(begin, begin + 200))
                writer.submit(Signal.TRACES, body, received_ns).result(DEADLINE_S)
            store = Store(folder, checkpoint_rows=100)
            store.wait_until_ready()
            # Deleting comes first after a start, then storing, with a checkpoint after every batch.
            time.sleep(dice.random() ** 2 * 0.8)
            store.kill()
        with running_store(folder) as store:
            eventually(lambda: store.rows(_NEW) == [[times * 200, times * 200]], store.log)
            assert store.stop() == 0
        with running_store(folder) as store:
            eventually(lambda: store.rows("select count(*) from spans") == [[times * 200]], store.log)
            assert store.rows(_NEW) == [[times * 200, times * 200]]
            sums = "select (select sum(span_count) from traces), (select count(*) from llm_calls)"
            assert store.rows(sums) == [[times * 200, times * 200]]


def _kill_under_load(folder: Path, victims: Sequence[str], *, senders: int, pause_s: float) -> None:
    dice = random.Random(7)
    # Small segments and few rows to a checkpoint, so that kills fall into both.
    with ready_stack(
        folder,
        "up",
        "--no-ui",
        journal_segment_bytes=_SMALL_SEGMENT_BYTES,
        checkpoint_rows=_SMALL_CHECKPOINT_ROWS,
        query_max_rows=_EVERY_ROW,
    ) as stack:
        with sending(stack.settings.http_port, senders=senders, traces_a_request=6, pause_s=pause_s) as ledgers:
            for victim in victims:
                _wait_for_work(stack, ledgers)
                time.sleep(dice.random() * 0.3)
                stack.kill(victim)
        assert sum(ledger.retry_count for ledger in ledgers) > 0
        _expect_all_once(stack, sorted(span_id for ledger in ledgers for span_id in ledger.span_ids))


def _wait_for_work(stack: Stack, ledgers: Sequence[Ledger]) -> None:
    """Wait until spans are acknowledged and stored again since the last kill."""
    acknowledged, stored = _acknowledged(ledgers), stack.span_count()
    eventually(lambda: _acknowledged(ledgers) > acknowledged, "acknowledged spans after a kill")
    eventually(lambda: stack.span_count() > stored, "stored spans after a kill")


def _expect_all_once(stack: Stack, span_ids: Sequence[str]) -> None:
    while (count := stack.span_count()) < len(span_ids):  # a busy machine is far behind after so many kills
        eventually(lambda: stack.span_count() > count, f"{len(span_ids) - count} acknowledged spans")
    assert not (stack.settings.data_dir / "quarantine").exists()
    stored = stack.records("select span_id from spans order by span_id")
    assert [row["span_id"] for row in stored] == span_ids
    call_count = len(span_ids) // TRACE_SPANS * CALLS_A_TRACE
    (totals,) = stack.records(_SQL)
    assert totals == {
        "span_count": len(span_ids),
        "different_span_count": len(span_ids),
        "settled_span_count": len(span_ids),
        "call_count": call_count,
        "input_tokens": call_count * INPUT_TOKENS,
        "counted_span_count": len(span_ids),
    }


def _acknowledged(ledgers: Sequence[Ledger]) -> int:
    return sum(len(ledger.span_ids) for ledger in ledgers)
