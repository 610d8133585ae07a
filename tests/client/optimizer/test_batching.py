"""Micro-batches: like calls travel together, and each caller gets its own answer, error or nobody else's."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from spandeck import MicroBatch

pytestmark = pytest.mark.unit

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def test_threads_travel_together_and_each_gets_its_own_answer() -> None:
    sizes = []

    def double(items: list[int]) -> list[int]:
        sizes.append(len(items))
        return [item * 2 for item in items]

    batch = MicroBatch[int, int](double, size=4, wait_s=5)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(batch.call, range(8))) == [item * 2 for item in range(8)]
    assert sizes == [4, 4]


async def test_tasks_travel_together_with_a_plain_and_with_an_asynchronous_function() -> None:
    sizes = []

    def plain(items: list[int]) -> list[int]:
        sizes.append(len(items))
        return [item * 2 for item in items]

    async def asynchronous(items: list[int]) -> list[int]:
        return plain(items)

    for run in (plain, asynchronous):
        batch = MicroBatch[int, int](run, size=3, wait_s=0.02)
        assert await asyncio.gather(*map(batch.acall, range(7))) == [item * 2 for item in range(7)]
    assert sizes == [3, 3, 1, 3, 3, 1]


def test_a_single_call_waits_no_longer_than_it_was_told() -> None:
    assert MicroBatch[int, int](lambda items: items, size=99, wait_s=0).call(5) == 5


async def test_only_like_items_travel_together() -> None:
    seen = []

    async def run(items: list[str]) -> list[str]:
        seen.append(sorted(items))
        return items

    batch = MicroBatch[str, str](run, size=9, wait_s=0.02, key=lambda item: item[0])
    assert await asyncio.gather(*map(batch.acall, ["a1", "b1", "a2"])) == ["a1", "b1", "a2"]
    assert sorted(seen) == [["a1", "a2"], ["b1"]]


async def test_an_exception_among_the_answers_is_of_its_item_alone() -> None:
    async def run(items: list[int]) -> list[int | Exception]:
        return [KeyError(item) if item == 1 else item for item in items]

    batch = MicroBatch[int, int](run, wait_s=0.01)
    answers = await asyncio.gather(*map(batch.acall, range(3)), return_exceptions=True)
    assert [answers[0], answers[2]] == [0, 2]
    assert isinstance(answers[1], KeyError)


async def test_what_the_function_raises_is_raised_for_all() -> None:
    async def run(items: list[int]) -> list[int]:
        raise ConnectionError("away")

    batch = MicroBatch[int, int](run, wait_s=0.01)
    answers = await asyncio.gather(*map(batch.acall, range(3)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["away"] * 3
    with pytest.raises(ZeroDivisionError):
        MicroBatch[int, int](lambda items: [1 // 0], wait_s=0).call(1)


def test_too_few_answers_are_an_error_that_counts_them() -> None:
    with pytest.raises(ValueError, match="returned 0 answers for 1 items"):
        MicroBatch[int, int](lambda items: [], wait_s=0).call(1)


async def test_a_cancelled_caller_leaves_the_others_their_answers() -> None:
    async def run(items: list[int]) -> list[int]:
        await asyncio.sleep(0.01)
        return items

    batch = MicroBatch[int, int](run, wait_s=0.01)
    tasks = [asyncio.create_task(batch.acall(item)) for item in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [1, 2]


def test_an_interruption_of_the_first_caller_is_told_to_the_others() -> None:
    entered = threading.Event()

    def run(items: list[int]) -> list[int]:
        raise KeyboardInterrupt

    batch = MicroBatch[int, int](run, size=2, wait_s=5)

    def first() -> None:
        entered.set()
        with pytest.raises(KeyboardInterrupt):
            batch.call(1)

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait()
    with pytest.raises((RuntimeError, KeyboardInterrupt)):
        batch.call(2)
    thread.join()


async def test_the_call_is_made_in_the_context_of_the_first_caller() -> None:
    async def run(items: list[int]) -> list[str]:
        return [WHO.get() for _ in items]

    WHO.set("first")
    assert await MicroBatch[int, str](run, wait_s=0.01).acall(1) == "first"
    assert MicroBatch[int, str](lambda items: [WHO.get()], wait_s=0).call(1) == "first"


@pytest.mark.parametrize(("size", "wait_s"), [(0, 1), (1, -1)])
def test_a_setting_out_of_range_is_a_sentence(size: int, wait_s: float) -> None:
    with pytest.raises(ValueError, match=f"size is {size}"):
        MicroBatch[int, int](lambda items: items, size, wait_s)


def test_the_plain_call_of_an_asynchronous_function_says_what_to_do() -> None:
    async def run(items: list[int]) -> list[int]:
        return items

    with pytest.raises(TypeError, match="acall"):
        MicroBatch[int, int](run).call(1)
