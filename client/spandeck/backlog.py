"""The spans and events that wait for delivery: bounded, counted, and safe between the threads that share them."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Literal

from opentelemetry.sdk.trace import ReadableSpan

from spandeck.events import Event
from spandeck.limits import Limits

Item = ReadableSpan | Event

DropReason = Literal["queue_full", "refused", "unreachable", "after_shutdown", "not_encodable"]


class Backlog:
    """A queue in which every accepted item is at last settled: delivered, or dropped for a reason.

    The lock is re-entrant, because a generator that the garbage collector closes ends its span inside
    whatever code it interrupts.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[tuple[Item, int]] = deque()
        self._queued_bytes = 0
        self._accepted_count = 0
        self._settled_count = 0
        self._flush_target = 0
        self._wake_count = 0
        self._deadline: float | None = None
        self._asleep = False
        self._dropped: Counter[DropReason] = Counter()
        self.delivered_count = 0

    @property
    def dropped(self) -> dict[str, int]:
        """Lost spans and events by reason."""
        with self._changed:
            return {reason: count for reason, count in self._dropped.items()}

    @property
    def closing(self) -> bool:
        """Nothing more is accepted."""
        return self._deadline is not None

    @property
    def wake_count(self) -> int:
        """Grows with each flush and shutdown: a sender that pauses compares it."""
        return self._wake_count

    def remaining_s(self, longest_s: float) -> float:
        """Seconds that the sender may still take, at most `longest_s`."""
        if self._deadline is None:
            return longest_s
        return min(longest_s, max(0.0, self._deadline - time.monotonic()))

    def add(self, item: Item, size_bytes: int) -> None:
        """Accept an item; where that is too much, the oldest are dropped (`queue_full`)."""
        with self._changed:
            if self.closing:
                self._dropped["after_shutdown"] += 1
                return
            self._queue.append((item, size_bytes))
            self._queued_bytes += size_bytes
            self._accepted_count += 1
            while len(self._queue) > self._limits.queue_spans or self._queued_bytes > self._limits.queue_bytes:
                self._take()
                self.settle(1, "queue_full")
            if len(self._queue) == 1 or self._batch_is_full():
                self._changed.notify_all()

    def next_batch(self, idle_s: Callable[[], float | None]) -> list[Item] | None:
        """Wait until a batch is full, asked for, or an interval old; None when closed and empty.

        With nothing to send it comes back empty after `idle_s()` seconds; None waits for an item or a `nudge`.
        """
        with self._changed:
            self._asleep = True
            limit_s = idle_s()
            self._asleep = limit_s is None
            self._changed.wait_for(lambda: self._queue or self.closing or self._is_nudged(limit_s), limit_s)
            self._asleep = False
            if self._queue or self.closing:
                self._changed.wait_for(self._batch_is_due, self._limits.interval_s)
            batch: list[Item] = []
            size_bytes = 0
            while self._queue and len(batch) < self._limits.batch_spans:
                if batch and size_bytes + self._queue[0][1] > self._limits.batch_bytes:
                    break
                item, item_bytes = self._take()
                batch.append(item)
                size_bytes += item_bytes
            return None if not batch and self.closing else batch

    def settle(self, count: int, reason: DropReason | None = None) -> None:
        """`count` items are delivered, or dropped for `reason`; ignored for those already given up."""
        with self._changed:
            count = min(count, self._accepted_count - self._settled_count)
            self._settled_count += count
            if reason is None:
                self.delivered_count += count
            elif count:
                self._dropped[reason] += count
            self._changed.notify_all()

    def pause(self, seconds: float, wake_count: int) -> None:
        """Wait, but no longer than until the next flush or shutdown after `wake_count` was read."""
        with self._changed:
            self._changed.wait_for(lambda: self._wake_count != wake_count, seconds)

    def nudge(self) -> None:
        """Let a sender that waits for nothing but items ask `idle_s` again; costs nothing where it does not."""
        if self._asleep:
            with self._changed:
                self._asleep = False
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Ask for all that waits now; True when it is delivered within `timeout_s` seconds."""
        with self._changed:
            target, lost = self._accepted_count, self._dropped.total()
            self._flush_target = max(self._flush_target, target)
            self._wake()
            settled = self._changed.wait_for(lambda: self._settled_count >= target, timeout_s)
            return settled and self._dropped.total() == lost

    def close(self, timeout_s: float) -> bool:
        """Accept no more, ask for all that waits; True when it is delivered within `timeout_s` seconds."""
        with self._changed:
            lost = self._dropped.total()
            if self._deadline is None:
                self._deadline = time.monotonic() + timeout_s
            self._wake()
            self._changed.wait_for(lambda: self._settled_count >= self._accepted_count, timeout_s)
            self.give_up()
            return self._dropped.total() == lost

    def give_up(self) -> None:
        """Drop all that is not settled, what is under way too (`unreachable`)."""
        with self._changed:
            self._queue.clear()
            self._queued_bytes = 0
            self.settle(self._accepted_count - self._settled_count, "unreachable")

    def _take(self) -> tuple[Item, int]:
        item, size_bytes = self._queue.popleft()
        self._queued_bytes -= size_bytes
        return item, size_bytes

    def _wake(self) -> None:
        self._wake_count += 1
        self._changed.notify_all()

    def _is_nudged(self, limit_s: float | None) -> bool:
        return limit_s is None and not self._asleep

    def _batch_is_full(self) -> bool:
        return len(self._queue) >= self._limits.batch_spans or self._queued_bytes >= self._limits.batch_bytes

    def _batch_is_due(self) -> bool:
        return self.closing or self._settled_count < self._flush_target or self._batch_is_full()
