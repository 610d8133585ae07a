"""From ended spans and events to the collector: one daemon thread, retries, and waits that keep their time."""

import atexit
import random
import sys
import threading
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from spandeck.attributes import logger
from spandeck.backlog import Backlog, Item
from spandeck.encoding import estimated_bytes, pack_events, pack_spans
from spandeck.events import Event
from spandeck.forking import after_fork_in_child
from spandeck.limits import EXIT_TIMEOUT_S, Limits
from spandeck.notices import Notices
from spandeck.transport import LOGS_PATH, TRACES_PATH, HttpTransport, Verdict

_LONGEST_CLOSING_PAUSE_S = 0.2


class Delivery(SpanProcessor):
    """Takes ended spans within microseconds and delivers them in the background.

    The SDK's own batch processor is not used: its flush and shutdown do not keep their time when the collector
    is silent. Here a slow or dead collector costs the program nothing but the memory of `Limits`; at exit
    `EXIT_TIMEOUT_S` at most, and nothing when the collector refuses the connection. The thread starts with the
    first span of a process. A forked child starts empty: what waited is its parent's to send.
    """

    def __init__(self, transport: HttpTransport, limits: Limits, resource: Resource) -> None:
        self._transport = transport
        self._limits = limits
        self._resource = resource
        self._notices = Notices(limits.open_after_s, limits.queue_spans)
        self._backlog = Backlog(self._limits)
        self._starting = threading.RLock()
        self._thread: threading.Thread | None = None
        self._warned = False
        after_fork_in_child(self._start_empty)

    @property
    def dropped(self) -> dict[str, int]:
        """Lost spans and events of this process by reason, see `spandeck.Telemetry.dropped`."""
        return self._backlog.dropped

    @property
    def delivered_count(self) -> int:
        """Spans and events of this process that the collector acknowledged."""
        return self._backlog.delivered_count

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember an open span; where it stays open, the collector is told (see `Notices`)."""
        try:
            if self._notices.opened(span):
                self._start_thread()
                self._backlog.nudge()
        except Exception:
            logger.debug("a span was not noted", exc_info=True)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue one span; never waits for the network and never raises."""
        try:
            if span.context is not None and span.context.trace_flags.sampled:
                self._notices.ended(span.context.span_id)
                self._add(span)
        except Exception:
            logger.debug("a span was not queued", exc_info=True)

    def emit(self, event: Event) -> None:
        """Queue one event; never waits for the network and never raises."""
        try:
            self._add(event)
        except Exception:
            logger.debug("an event was not queued", exc_info=True)

    def _add(self, item: Item) -> None:
        self._backlog.add(item, estimated_bytes(item))
        self._start_thread()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As `flush`, in milliseconds (the SDK's interface)."""
        return self.flush(timeout_millis / 1000)

    def flush(self, timeout_s: float) -> bool:
        """Send what waits now; True when all of it is delivered within `timeout_s` seconds."""
        return self._backlog.flush(timeout_s)

    def shutdown(self) -> None:
        """As `close`, within `EXIT_TIMEOUT_S` (the SDK's interface)."""
        self.close(EXIT_TIMEOUT_S)

    def close(self, timeout_s: float) -> bool:
        """Send what waits and accept no more; True when all is delivered within `timeout_s` seconds."""
        atexit.unregister(self.shutdown)
        return self._backlog.close(timeout_s)

    def _start_empty(self) -> None:
        closing = self._backlog.closing
        self._backlog = Backlog(self._limits)
        self._notices = Notices(self._limits.open_after_s, self._limits.queue_spans)
        self._starting = threading.RLock()
        self._thread = None
        if closing:
            self._backlog.close(0)

    def _start_thread(self) -> None:
        """Start the sender; while the interpreter starts no thread any more, spans wait and are then lost."""
        with self._starting:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="spandeck-delivery", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None
                return
        atexit.register(self.shutdown)
        _register_with_multiprocessing(self)

    def _run(self) -> None:
        while (batch := self._backlog.next_batch(self._notices.wait_s)) is not None:
            try:
                self._deliver(batch)
            except Exception:
                logger.debug("a batch was not sent", exc_info=True)
                self._backlog.settle(len(batch), "not_encodable")
            self._give_notice()

    def _deliver(self, batch: Sequence[Item]) -> None:
        spans = [item for item in batch if isinstance(item, ReadableSpan)]
        events = [item for item in batch if isinstance(item, Event)]
        if spans:
            parcel = pack_spans(spans)
            self._backlog.settle(len(spans) - len(parcel.items), "not_encodable")
            self._send(TRACES_PATH, parcel.body, len(parcel.items))
        if events:
            self._send(LOGS_PATH, pack_events(events, self._resource).body, len(events))

    def _send(self, path: str, body: bytes, item_count: int) -> None:
        backoff_s = self._limits.first_backoff_s
        while item_count:
            wake_count = self._backlog.wake_count
            verdict = self._transport.post(path, body, self._backlog.remaining_s(self._limits.request_timeout_s))
            if verdict.accepted or not verdict.retryable:
                return self._settle(item_count, verdict)
            self._warn(verdict, self._prospect())
            if self._backlog.closing and (verdict.status is None or not self._backlog.remaining_s(1)):
                return self._backlog.give_up()
            self._pause(backoff_s, verdict.retry_after_s, wake_count)
            backoff_s = min(2 * backoff_s, self._limits.longest_backoff_s)
        return None

    def _give_notice(self) -> None:
        """Tell of long-open spans and of losses, in one try: what fails is tried again at the next occasion."""
        try:
            dropped = self._backlog.dropped
            notices = self._notices.due(dropped)
            if not notices or self._backlog.closing:
                return
            body = pack_events(notices, self._resource).body
            verdict = self._transport.post(LOGS_PATH, body, self._limits.request_timeout_s)
            if verdict.accepted or not verdict.retryable:
                self._notices.told(notices, dropped)
            else:
                self._pause(self._limits.first_backoff_s, verdict.retry_after_s, self._backlog.wake_count)
        except Exception:
            logger.debug("a notice was not sent", exc_info=True)

    def _settle(self, span_count: int, verdict: Verdict) -> None:
        refused_count = min(verdict.rejected_count, span_count) if verdict.accepted else span_count
        self._backlog.settle(refused_count, "refused")
        self._backlog.settle(span_count - refused_count)
        if refused_count:
            self._warn(verdict, f"{refused_count} are lost")
        else:
            self._warned = False

    def _pause(self, backoff_s: float, retry_after_s: float, wake_count: int) -> None:
        """Jittered, so that many agents do not come back at once; short once the process is about to end."""
        seconds = max(retry_after_s, backoff_s * random.uniform(0.5, 1.0))
        if self._backlog.closing:
            seconds = min(seconds, _LONGEST_CLOSING_PAUSE_S)
        self._backlog.pause(seconds, wake_count)

    def _prospect(self) -> str:
        if self._backlog.closing:
            return "what is not taken by the end of this process is lost"
        return f"up to {self._limits.queue_spans} are kept and sent again"

    def _warn(self, verdict: Verdict, consequence: str) -> None:
        """One line on stderr for each outage, not for each try."""
        if self._warned:
            return
        self._warned = True
        answer = verdict.reason if verdict.status is None else f"{verdict.status} {verdict.reason}"
        logger.warning(
            "Spandeck at %s did not take spans (%s): %s. Start it with `spandeck up`, or check SPANDECK_ENDPOINT "
            "and SPANDECK_INGEST_TOKEN.",
            self._transport.endpoint,
            answer,
            consequence,
        )


def _register_with_multiprocessing(delivery: Delivery) -> None:
    """Let the worker processes of `multiprocessing` deliver at their end: they run finalizers, not atexit."""
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, delivery.shutdown, exitpriority=0)
