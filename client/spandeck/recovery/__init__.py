"""Recovery: trying again, leaving alone what fails, answering all the same, and keeping what failed for good."""

from spandeck.recovery.circuit import CircuitBreaker, CircuitOpenError
from spandeck.recovery.dead_letters import DeadLetter, DeadLetters, ReplayReport
from spandeck.recovery.failures import is_transient, retry_after_s
from spandeck.recovery.fallback import Fallback
from spandeck.recovery.retry import NO_RETRY, Retry

__all__ = [
    "NO_RETRY",
    "CircuitBreaker",
    "CircuitOpenError",
    "DeadLetter",
    "DeadLetters",
    "Fallback",
    "ReplayReport",
    "Retry",
    "is_transient",
    "retry_after_s",
]
