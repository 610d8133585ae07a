"""What the sender tells on its own account: spans that stay open, and what had to be dropped."""

import time
from collections.abc import Mapping

from opentelemetry.sdk.trace import ReadableSpan, Span

from spandeck.events import Event
from spandeck_schema import semantic_conventions as names


class Notices:
    """Which spans are open, and which of them the collector was told about.

    A span that ends within `open_after_s` costs nothing more: only one that is open longer is announced, once,
    by an event with its own attributes, so that running and hung work can be seen before it ends. A half span
    with the same id would not do: stores keep the first version of a span.
    """

    def __init__(self, open_after_s: float, most_open: int) -> None:
        self._open_after_s = open_after_s
        self._most_open = most_open
        self._open: dict[int, tuple[Span, float]] = {}
        self._told_dropped: dict[str, int] = {}

    def opened(self, span: Span) -> bool:
        """A span started; True where none waited to be announced before, so that the sender must be woken."""
        was_idle = not self._open
        if len(self._open) < self._most_open:
            self._open[span.context.span_id] = (span, time.monotonic())
        return was_idle

    def ended(self, span_id: int) -> None:
        """A span ended."""
        self._open.pop(span_id, None)

    def wait_s(self) -> float | None:
        """Seconds until the next span is due; None where none will be."""
        for _, since in self._open.copy().values():
            return max(0.0, since + self._open_after_s - time.monotonic())
        return None

    def due(self, dropped: Mapping[str, int]) -> list[Event]:
        """What should be told now: spans open for long, and how many were lost since, by reason."""
        before = time.monotonic() - self._open_after_s
        spans = [_open_event(span) for span, since in self._open.copy().values() if since <= before]
        return spans + [
            _dropped_event(reason, count - self._told_dropped.get(reason, 0))
            for reason, count in dropped.items()
            if count > self._told_dropped.get(reason, 0)
        ]

    def told(self, events: list[Event], dropped: Mapping[str, int]) -> None:
        """The collector has `events`, which were due when this much was dropped."""
        self._told_dropped = dict(dropped)
        for event in events:
            self._open.pop(event.span_id, None)


def _open_event(span: ReadableSpan) -> Event:
    trace_id, span_id = (span.context.trace_id, span.context.span_id) if span.context else (0, 0)
    about = {names.SPANDECK_SPAN_NAME: span.name}
    if span.parent is not None:
        about[names.SPANDECK_SPAN_PARENT_ID] = f"{span.parent.span_id:016x}"
    return Event(
        names.SPANDECK_SPAN_OPEN,
        span.start_time or time.time_ns(),
        trace_id,
        span_id,
        {**(span.attributes or {}), **about},
    )


def _dropped_event(reason: str, count: int) -> Event:
    return Event(
        names.SPANDECK_CLIENT_DROPPED,
        time.time_ns(),
        0,
        0,
        {names.SPANDECK_CLIENT_DROPPED_REASON: reason, names.SPANDECK_CLIENT_DROPPED_COUNT: count},
    )
