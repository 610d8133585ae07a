"""Budgets: refused exactly at the bound, by request, under threads and tasks, and with a store that may fail."""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

import spandeck
from spandeck import Budget, SecurityError, Telemetry
from spandeck.guard import Spent

pytestmark = pytest.mark.unit


def test_the_twenty_first_step_is_refused() -> None:
    budget = Budget()
    with budget.start() as account:
        for _ in range(20):
            budget.spend(steps=1)
        for _ in range(2):
            with pytest.raises(SecurityError, match=r"^Security: Maximum steps \(20\) exceeded$"):
                budget.spend(steps=1)
        assert account.spent.steps == 20


def test_tokens_over_the_budget_are_counted_and_refused_from_then_on() -> None:
    budget = Budget()
    with budget.start() as account:
        budget.spend(tokens=100_000)
        with pytest.raises(SecurityError, match=r"Token budget \(100000\) exceeded"):
            budget.spend(tokens=1)
        with pytest.raises(SecurityError, match="Token budget"):
            budget.spend(steps=1)
        assert (account.spent.tokens, account.spent.steps) == (100_001, 0)


def test_cost_and_time_are_bounds_too() -> None:
    now = [0.0]
    budget = Budget(usd=1.0, seconds=2.0, clock=lambda: now[0])
    with budget.start():
        budget.spend(usd=1.0)
        with pytest.raises(SecurityError, match=r"Cost budget \(\$1\) exceeded"):
            budget.spend(usd=0.01)
    with budget.start() as account:
        now[0] = 2.0
        budget.spend(steps=1)
        now[0] = 2.5
        with pytest.raises(SecurityError, match=r"Time budget \(2 s\) exceeded"):
            budget.spend(steps=1)
        assert account.spent == Spent(1, 0, 0.0, 2.5)


def test_what_an_estimate_would_break_is_told_and_nothing_charged() -> None:
    budget = Budget(steps=1, tokens=10, usd=1)
    with budget.start() as account:
        assert budget.refusal(steps=1, tokens=10, usd=1) is None
        assert budget.refusal(steps=2) == "Maximum steps (1) exceeded"
        assert budget.refusal(tokens=11) == "Token budget (10) exceeded"
        assert account.spent.tokens == 0


@pytest.mark.parametrize("amount", [-1, math.nan])
def test_nothing_can_be_given_back(amount: float) -> None:
    with Budget().start() as account, pytest.raises(ValueError, match="must be 0 or more"):
        account.spend(usd=amount)


def test_a_negative_bound_is_an_error() -> None:
    with pytest.raises(ValueError, match="Budget usd=-1 is negative"):
        Budget(usd=-1)


def test_each_request_starts_afresh() -> None:
    budget = Budget(steps=1)
    for _ in range(3):
        with budget.start():
            budget.spend(steps=1)


def test_a_delegation_has_its_own_steps_and_shares_tokens_and_cost() -> None:
    outer, inner = Budget(steps=1, tokens=10), Budget(steps=5, tokens=100)
    with outer.start() as account:
        outer.spend(steps=1)
        with inner.start():
            inner.spend(steps=3, tokens=10)
            with pytest.raises(SecurityError, match=r"Token budget \(10\) exceeded"):
                inner.spend(tokens=1)
        assert account.spent.tokens == 11


def test_without_a_request_the_account_lasts_until_reset_and_is_no_outer_one() -> None:
    budget = Budget(steps=1)

    def run() -> None:
        budget.spend(steps=1)
        with pytest.raises(SecurityError):
            budget.spend(steps=1)
        with budget.start():
            budget.spend(steps=1, tokens=100_000)
        budget.reset()
        budget.spend(steps=1)

    copy_context().run(run)


def test_the_account_belongs_to_the_open_request_and_ends_with_it(telemetry: Telemetry) -> None:
    budget = Budget(steps=2)
    for _ in range(2):
        with spandeck.request("a") as req:
            budget.spend(steps=1)
            with req.request("b"):
                budget.spend(steps=1)
            with pytest.raises(SecurityError):
                budget.spend(steps=1)
            budget.reset()
            budget.spend(steps=2)


def test_threads_that_share_an_account_pass_the_bound_together() -> None:
    budget = Budget(steps=100, tokens=None)

    def step(_: int) -> bool:
        try:
            account.spend(steps=1, tokens=1)
        except SecurityError:
            return False
        return True

    with budget.start() as account, ThreadPoolExecutor(8) as pool:
        passed = sum(pool.map(step, range(400)))
    assert passed == 100
    assert account.spent.steps == 100
    assert account.spent.tokens == 400


async def test_tasks_have_their_own_requests_and_share_within_one() -> None:
    budget = Budget(steps=3)

    async def request() -> int:
        async with budget.start():
            results = await asyncio.gather(*(budget.aspend(steps=1) for _ in range(5)), return_exceptions=True)
        return sum(isinstance(result, SecurityError) for result in results)

    assert await asyncio.gather(*(request() for _ in range(10))) == [2] * 10


class Store:
    def __init__(self, answer: str | Exception | None) -> None:
        self.answer = answer
        self.asked: list[Spent] = []

    def refusal(self, spent: Spent) -> str | None:
        self.asked.append(spent)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_store_is_asked_at_each_step_and_may_refuse() -> None:
    store = Store("Daily budget of team x exceeded")
    with Budget(store=store).start() as account:
        account.spend(tokens=5)
        with pytest.raises(SecurityError, match="Daily budget of team x exceeded"):
            account.spend(steps=1)
    assert [(asked.steps, asked.tokens) for asked in store.asked] == [(1, 5)]


async def test_a_store_that_fails_lets_go_on_or_refuses_as_told() -> None:
    with Budget(store=Store(OSError("gone"))).start() as account:
        account.spend(steps=1)
    account = Budget(store=Store(OSError("gone")), store_fail="closed").start()
    with pytest.raises(SecurityError, match="The budget store did not answer"):
        await account.aspend(steps=1)
