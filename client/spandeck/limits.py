"""How much telemetry may cost the program that sends it."""

from dataclasses import dataclass

# With what the interpreter itself needs, a process is gone within 2 seconds of its end.
EXIT_TIMEOUT_S = 1.8


@dataclass(frozen=True)
class Limits:
    """How much may wait and how long: counts of spans and events, bytes (estimated), seconds.

    A span that is open for `open_after_s` is announced to the collector.
    """

    queue_spans: int = 8192
    queue_bytes: int = 16 << 20
    batch_spans: int = 512
    batch_bytes: int = 4 << 20
    interval_s: float = 1.0
    open_after_s: float = 1.0
    request_timeout_s: float = 10.0
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 30.0
