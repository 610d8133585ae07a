"""Parallel calls: in order, within the limit, each with its outcome and the caller's context."""

import asyncio
import contextvars
import threading
from functools import partial

import pytest

from spandeck import arun_parallel, run_parallel

pytestmark = pytest.mark.unit

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def test_outcomes_come_in_the_order_of_the_calls_and_a_failure_stops_no_other() -> None:
    outcomes = run_parallel([lambda: 1, lambda: 1 // 0, lambda: 3])
    assert [outcome.value for outcome in outcomes] == [1, None, 3]
    assert isinstance(outcomes[1].error, ZeroDivisionError)
    assert outcomes[2].result() == 3
    with pytest.raises(ZeroDivisionError):
        outcomes[1].result()


def test_calls_run_side_by_side() -> None:
    """Each waits for the others: one after the other they would wait for ever."""
    together = threading.Barrier(4, timeout=10)
    assert all(outcome.error is None for outcome in run_parallel([together.wait] * 4))


@pytest.mark.parametrize("limit", [1, 3])
def test_never_more_than_the_limit_run_at_once(limit: int) -> None:
    running, most, lock = [0], [0], threading.Lock()

    def call() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.005)
        with lock:
            running[0] -= 1

    run_parallel([call] * 9, limit)
    assert most[0] <= limit


def test_each_call_sees_the_context_of_the_caller_and_changes_only_its_own() -> None:
    WHO.set("caller")

    def call(name: str) -> str:
        seen = WHO.get()
        WHO.set(name)
        return seen

    for limit in (1, 2):
        assert [outcome.value for outcome in run_parallel([partial(call, "a"), partial(call, "b")], limit)] == [
            "caller",
            "caller",
        ]
    assert WHO.get() == "caller"


def test_an_interruption_passes_and_no_calls_are_no_outcomes() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_parallel([interrupt, lambda: None])
    assert run_parallel([]) == []


async def test_tasks_keep_order_limit_and_context() -> None:
    running, most = [0], [0]
    WHO.set("caller")

    async def call(number: int) -> str:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.002)
        running[0] -= 1
        return f"{WHO.get()} {10 // number}"

    outcomes = await arun_parallel([partial(call, number) for number in (5, 0, 2, 1)], limit=2)
    assert [outcome.value for outcome in outcomes] == ["caller 2", None, "caller 5", "caller 10"]
    assert most[0] == 2


async def test_cancelling_cancels_the_calls_under_way() -> None:
    begun, cancelled = asyncio.Event(), []

    async def call() -> None:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    task = asyncio.create_task(arun_parallel([call, call]))
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(cancelled) == 2


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_a_sentence(limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit is {limit}"):
        run_parallel([], limit)
