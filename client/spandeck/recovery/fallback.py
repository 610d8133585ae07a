"""What to answer when the model does not: degraded, never silently so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from spandeck.recovery.circuit import CircuitOpenError
from spandeck.recovery.failures import is_transient

Degradation = Literal["stale_cache", "smaller_model", "canned_answer"]


def may_degrade(error: BaseException) -> bool:
    """True for failures of the other side; mistakes of the caller and refusals pass unchanged."""
    return isinstance(error, CircuitOpenError) or is_transient(error)


@dataclass(frozen=True)
class Fallback:
    """What an agent tries, in this `order`, once its model has failed for good.

    `stale_cache`: an answer of the cache whose time is over; `smaller_model`: each of `models` once;
    `canned_answer`: the text `canned`. What is not given is skipped. The answer is marked `degraded` in the
    result and on the span, and is never cached. `when` says for which errors.
    """

    models: Sequence[str] = ()
    canned: str | None = None
    order: Sequence[Degradation] = ("stale_cache", "smaller_model", "canned_answer")
    when: Callable[[BaseException], bool] = may_degrade
