"""Retries: which errors, how long between, and never past the deadline."""

import email.utils
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck.recovery import NO_RETRY, Retry, is_transient, retry_after_s

pytestmark = pytest.mark.unit

AT_ONCE = Retry(attempts=4, base=0.0)


class StatusError(Exception):
    """As the SDKs raise them: a status, and the answer's headers."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"status {status}")
        self.status_code = status
        self.response = SimpleNamespace(status_code=status, headers=headers or {})


class APITimeoutError(Exception):
    pass


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_these_statuses_are_tried_again(status: int) -> None:
    assert is_transient(StatusError(status))


@pytest.mark.parametrize("error", [StatusError(400), StatusError(401), StatusError(404), ValueError(), KeyError("x")])
def test_mistakes_are_not_tried_again(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), APITimeoutError()])
def test_timeouts_and_lost_connections_are_tried_again(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_the_end_of_the_program_is_never_tried_again(error: BaseException) -> None:
    assert not is_transient(error)


def test_the_wish_of_the_other_side_is_read_in_all_its_forms() -> None:
    later = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert retry_after_s(StatusError(429, {"Retry-After": "7"})) == 7.0
    assert retry_after_s(StatusError(429, {"retry-after-ms": "250"})) == 0.25
    assert 25 < (retry_after_s(StatusError(429, {"Retry-After": later})) or 0) <= 30
    assert retry_after_s(StatusError(429, {"Retry-After": "soon"})) is None
    assert retry_after_s(StatusError(429, {"Retry-After": "-1"})) is None
    assert retry_after_s(ValueError()) is None


def test_work_is_tried_until_it_succeeds() -> None:
    tried: list[int] = []

    def work(attempt: int) -> str:
        tried.append(attempt)
        if attempt < 3:
            raise StatusError(503)
        return "done"

    assert AT_ONCE.run(work) == "done"
    assert tried == [1, 2, 3]


async def test_asynchronous_work_is_tried_alike() -> None:
    tried: list[int] = []

    async def work(attempt: int) -> str:
        tried.append(attempt)
        raise StatusError(503)

    with pytest.raises(StatusError):
        await AT_ONCE.arun(work)
    assert tried == [1, 2, 3, 4]


def test_the_last_error_passes_unchanged() -> None:
    errors = [StatusError(503) for _ in range(4)]

    def work(attempt: int) -> None:
        raise errors[attempt - 1]

    with pytest.raises(StatusError) as caught:
        AT_ONCE.run(work)
    assert caught.value is errors[3]


@pytest.mark.parametrize("retry", [NO_RETRY, AT_ONCE])
def test_a_mistake_is_raised_at_once(retry: Retry) -> None:
    tried: list[int] = []

    def work(attempt: int) -> None:
        tried.append(attempt)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        retry.run(work)
    assert tried == [1]


@given(
    attempt=st.integers(1, 9),
    elapsed_s=st.floats(0, 100),
    wish_s=st.one_of(st.none(), st.integers(0, 100)),
    base=st.floats(0, 10),
    cap=st.floats(0, 60),
)
def test_waits_are_jittered_capped_and_within_the_deadline(
    attempt: int, elapsed_s: float, wish_s: int | None, base: float, cap: float
) -> None:
    """A wait is at least the wish, at most the larger of wish and cap, and never ends past the deadline."""
    retry = Retry(attempts=8, deadline=60, base=base, cap=cap)
    error = StatusError(503, {} if wish_s is None else {"Retry-After": str(wish_s)})
    wait_s = retry.wait_s(error, attempt, elapsed_s)
    if wait_s is None:
        bound_s = max(wish_s or 0, min(cap, base * 2 ** (attempt - 1)))
        assert attempt >= 8 or elapsed_s + bound_s > 60
    else:
        assert (wish_s or 0) <= wait_s <= max(wish_s or 0, min(cap, base * 2 ** (attempt - 1)))
        assert elapsed_s + wait_s <= 60


def test_a_first_wait_is_drawn_from_zero_to_the_base() -> None:
    waits = [Retry(base=1.0).wait_s(StatusError(503), 1, 0.0) or 0.0 for _ in range(200)]
    assert min(waits) < 0.2
    assert 0.8 < max(waits) <= 1.0


def test_impossible_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="attempts=0"):
        Retry(attempts=0)
