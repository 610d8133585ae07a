"""Bounds of one request: steps, tokens, cost and time. What is over a bound is refused, whatever the model says."""

import itertools
import logging
import threading
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

from spandeck.guard.recording import refusal
from spandeck.origin import Clock
from spandeck.scope import ambient

Fail = Literal["open", "closed"]
_logger = logging.getLogger("spandeck")


@dataclass(frozen=True)
class Spent:
    """What a request has used so far: counts, US dollars, seconds of wall clock.

    `account` names the outermost account that this one charges: what is told under one name is the same money.
    """

    steps: int
    tokens: int
    usd: float
    seconds: float
    account: str = field(default="", compare=False)


class BudgetStore(Protocol):
    """Who knows what all processes of a session have spent, such as `StoreBudgets`."""

    def refusal(self, spent: Spent) -> str | None:
        """Why the request may not go on, as a sentence, or None where it may. May raise: see `store_fail`."""
        ...


class Spending:
    """The running account of one request; made by `Budget.start`. Safe for threads and tasks that share it.

    Inside `with budget.start():` the methods of the budget mean this account, in this thread or task and in
    all that inherit its context; others, such as threads of a pool, use the account itself. An account within
    another one also charges tokens and cost there.
    """

    def __init__(self, budget: "Budget", outer: "Spending | None" = None) -> None:
        self.budget = budget
        self._outer = outer
        self._lock: threading.Lock = threading.Lock() if outer is None else outer._lock
        self._steps = 0
        self._tokens = 0
        self._usd = 0.0
        self._started_s = budget.clock()
        self._name = f"{next(_names):x}"
        self._token: Token[dict[Budget, Spending]] | None = None

    @property
    def is_started(self) -> bool:
        """True inside `with`; an account that nobody started is no outer one."""
        return self._token is not None

    @property
    def spent(self) -> Spent:
        """What has been used since the start."""
        name = self._accounts()[-1]._name
        return Spent(self._steps, self._tokens, self._usd, self.budget.clock() - self._started_s, name)

    def spend(self, *, steps: int = 0, tokens: int = 0, usd: float = 0.0) -> None:
        """Charge what is about to be done (`steps`) or was used (`tokens`, `usd`).

        A step over the bound is refused and not counted, for it will not happen; tokens and cost have happened
        and are counted always. Raises `SecurityError` of kind "budget" where a bound is passed.
        """
        _not_negative(steps, tokens, usd)
        with self._lock:
            accounts = self._accounts()
            for account in accounts:
                account._tokens += tokens
                account._usd += usd
            over = next((reason for account in accounts if (reason := account._over())), None)
            over = over or self._over_steps(steps)
            if over is None:
                self._steps += steps
        if over is None and steps:
            over = self.budget.ask_store(self.spent)
        if over is not None:
            raise refusal(over, "budget")

    async def aspend(self, *, steps: int = 0, tokens: int = 0, usd: float = 0.0) -> None:
        """As `spend`; a store is asked in a thread, so that the event loop goes on."""
        if self.budget.store is None:
            self.spend(steps=steps, tokens=tokens, usd=usd)
        else:
            # Not at the top: importing asyncio takes longer than all of this package.
            import asyncio  # noqa: PLC0415

            await asyncio.to_thread(self.spend, steps=steps, tokens=tokens, usd=usd)

    def refusal(self, *, steps: int = 0, tokens: int = 0, usd: float = 0.0) -> str | None:
        """Why this much more would be refused, or None; charges nothing. For estimates before a call."""
        _not_negative(steps, tokens, usd)
        with self._lock:
            reasons = (account._over(tokens, usd) for account in self._accounts())
            return next((reason for reason in reasons if reason), None) or self._over_steps(steps)

    def __enter__(self) -> Self:
        """Make this the account that the budget means here."""
        self._token = _open.set({**_open.get({}), self.budget: self})
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Give the account before back; where it is left in another task than entered, that task had none."""
        token, self._token = self._token, None
        if token is not None:
            try:
                _open.reset(token)
            except ValueError:
                _logger.debug("a budget was left in another context than entered")

    async def __aenter__(self) -> Self:
        """As `__enter__`."""
        return self.__enter__()

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """As `__exit__`."""
        self.__exit__(error_type, error, stack)

    def _accounts(self) -> "list[Spending]":
        account: Spending | None = self
        accounts = []
        while account is not None:
            accounts.append(account)
            account = account._outer
        return accounts

    def _over(self, tokens: int = 0, usd: float = 0.0) -> str | None:
        bounds = self.budget
        if bounds.tokens is not None and self._tokens + tokens > bounds.tokens:
            return f"Token budget ({bounds.tokens}) exceeded"
        if bounds.usd is not None and self._usd + usd > bounds.usd:
            return f"Cost budget (${bounds.usd:g}) exceeded"
        if bounds.seconds is not None and bounds.clock() - self._started_s > bounds.seconds:
            return f"Time budget ({bounds.seconds:g} s) exceeded"
        return None

    def _over_steps(self, steps: int) -> str | None:
        bound = self.budget.steps
        return None if bound is None or self._steps + steps <= bound else f"Maximum steps ({bound}) exceeded"


_names = itertools.count(1)
_open: ContextVar[dict["Budget", Spending]] = ContextVar("spandeck-budgets")


class Budget:
    """Bounds of each request: `steps` (the one after is refused), `tokens`, `usd`, `seconds`; None is no bound.

    ```python
    budget = Budget(steps=20, tokens=100_000, usd=1.0, seconds=120)
    with budget.start():
        budget.spend(steps=1)
        budget.spend(tokens=answer.usage.total_tokens)
    ```
    Without `start`, the account belongs to the open `spandeck.request` and ends with it, and where none is open
    to the thread or task, until `reset`. `store` is asked at each step, after our own bounds; where it fails,
    `store_fail` says whether to go on ("open", the default) or to refuse ("closed"). `clock` gives monotonic
    seconds. Raises `ValueError` for a negative bound.
    """

    def __init__(
        self,
        steps: int | None = 20,
        tokens: int | None = 100_000,
        usd: float | None = None,
        seconds: float | None = None,
        *,
        store: BudgetStore | None = None,
        store_fail: Fail = "open",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, bound in {"steps": steps, "tokens": tokens, "usd": usd, "seconds": seconds}.items():
            if bound is not None and bound < 0:
                raise ValueError(f"Budget {name}={bound} is negative: give 0 or more, or None for no bound.")
        self.steps = steps
        self.tokens = tokens
        self.usd = usd
        self.seconds = seconds
        self.store = store
        self.store_fail: Fail = store_fail
        self.clock = clock
        self._by_request: weakref.WeakKeyDictionary[Clock, Spending] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def start(self) -> Spending:
        """A fresh account for one request; use it in a `with` block (or `async with`)."""
        return Spending(self, self._innermost())

    def spend(self, *, steps: int = 0, tokens: int = 0, usd: float = 0.0) -> None:
        """As `Spending.spend`, on the account that is open here."""
        self.current().spend(steps=steps, tokens=tokens, usd=usd)

    async def aspend(self, *, steps: int = 0, tokens: int = 0, usd: float = 0.0) -> None:
        """As `Spending.aspend`, on the account that is open here."""
        await self.current().aspend(steps=steps, tokens=tokens, usd=usd)

    def refusal(self, *, steps: int = 0, tokens: int = 0, usd: float = 0.0) -> str | None:
        """As `Spending.refusal`, on the account that is open here."""
        return self.current().refusal(steps=steps, tokens=tokens, usd=usd)

    def current(self) -> Spending:
        """The account that is open here: of `start`, else of the open request, else of this thread or task."""
        here = _open.get({})
        if self in here:
            return here[self]
        request = ambient()[1]
        if request is None:
            fresh = Spending(self)
            _open.set({**here, self: fresh})
            return fresh
        with self._lock:
            return self._by_request.setdefault(request.clock, Spending(self))

    def reset(self) -> None:
        """Forget the account that is open here; the next charge starts a fresh one."""
        here = dict(_open.get({}))
        if here.pop(self, None) is not None:
            _open.set(here)
        request = ambient()[1]
        if request is not None:
            with self._lock:
                self._by_request.pop(request.clock, None)

    def ask_store(self, spent: Spent) -> str | None:
        """Why the store refuses, or None; a store that fails counts as `store_fail` says, and is logged."""
        if self.store is None:
            return None
        try:
            return self.store.refusal(spent)
        except Exception as error:
            _logger.warning("the budget store did not answer: %s", type(error).__name__)
            return "The budget store did not answer" if self.store_fail == "closed" else None

    def _innermost(self) -> Spending | None:
        started = [account for account in _open.get({}).values() if account.is_started]
        return started[-1] if started else None


def _not_negative(steps: int, tokens: int, usd: float) -> None:
    if not (steps >= 0 and tokens >= 0 and usd >= 0):
        raise ValueError(f"Nothing can be given back: steps={steps}, tokens={tokens}, usd={usd} must be 0 or more.")
