"""The circuit breaker: opens after failures in a row, probes with one call, closes on success."""

import pytest

from spandeck.recovery import CircuitBreaker, CircuitOpenError

pytestmark = pytest.mark.unit

TARGET = ("anthropic", "m")


class HandClock:
    """A clock that is moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def breaker(clock: HandClock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, reset=10.0, clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.check(TARGET)
        breaker.failed(TARGET)


def test_it_opens_after_failures_in_a_row_and_says_for_how_long(breaker: CircuitBreaker, clock: HandClock) -> None:
    fail(breaker, 3)
    clock.now += 4
    with pytest.raises(CircuitOpenError, match=r"open for another 6\.0 s") as caught:
        breaker.check(TARGET)
    assert (caught.value.target, caught.value.retry_in_s) == (TARGET, 6.0)


def test_a_success_between_starts_the_count_again(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.succeeded(TARGET)
    fail(breaker, 2)
    breaker.check(TARGET)


def test_one_probe_decides(breaker: CircuitBreaker, clock: HandClock) -> None:
    fail(breaker, 3)
    clock.now += 10
    breaker.check(TARGET)
    with pytest.raises(CircuitOpenError):
        breaker.check(TARGET)
    breaker.failed(TARGET)
    with pytest.raises(CircuitOpenError):
        breaker.check(TARGET)
    clock.now += 10
    breaker.check(TARGET)
    breaker.succeeded(TARGET)
    breaker.check(TARGET)


def test_a_probe_that_is_cancelled_or_lost_frees_its_place(breaker: CircuitBreaker, clock: HandClock) -> None:
    fail(breaker, 3)
    clock.now += 10
    breaker.check(TARGET)
    breaker.released(TARGET)
    breaker.check(TARGET)
    clock.now += 10
    breaker.check(TARGET)


def test_targets_do_not_share_a_circuit(breaker: CircuitBreaker) -> None:
    fail(breaker, 3)
    breaker.check(("anthropic", "other"))


def test_impossible_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="failures=0"):
        CircuitBreaker(failures=0)
