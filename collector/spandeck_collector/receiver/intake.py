"""The way of an accepted request, the same for both transports: admission, journal, then the acknowledgement."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from google.protobuf.message import Message

from spandeck_collector.journal import JournalError, JournalFullError, JournalWriter
from spandeck_collector.receiver.admission import Admitted, Media, admit
from spandeck_collector.receiver.decompression import Take, decompressed, decompressed_message
from spandeck_collector.receiver.metrics import Metrics
from spandeck_collector.receiver.otlp_signals import OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.receiver.refusals import Refusals
from spandeck_collector.redaction import redacted_bodies

_THREADS = 2
_INLINE_BYTES = {Media.PROTOBUF: 4 << 20, Media.JSON: 64 << 10}
_INLINE_REDACTED_BYTES = 8 << 10
_LARGE_BYTES = 16 << 20
_REPORT_EVERY_S = 10.0
_HELD_BYTES = 130 << 20


class Held:
    """Bytes of one request that are counted in a budget until the `with` block ends."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.count = 0
        self.is_large = False

    def take(self, count: int) -> None:
        """Hold `count` bytes more; raises `RefusedError` and holds no more where all together are too many."""
        self._budget.take(count)
        self.count += count

    def __enter__(self) -> Self:
        """Start with none."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let all of them go."""
        self.release()

    def release(self) -> None:
        """Let all of them go now."""
        self._budget.give_back(self.count)
        self.count = 0


class Budget:
    """Bytes of all bodies that are held at once, as sent, decompressed and as stored; for any thread."""

    def __init__(self, limit_bytes: int) -> None:
        """Allow `limit_bytes` together."""
        self._limit_bytes = limit_bytes
        self.taken_bytes = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Count `count` bytes as held; raises `RefusedError` and counts nothing where they are too many."""
        with self._lock:
            if self.taken_bytes + count > self._limit_bytes:
                raise RefusedError(Reason.BUSY)
            self.taken_bytes += count

    def give_back(self, count: int) -> None:
        """Count `count` bytes as let go."""
        with self._lock:
            self.taken_bytes -= count

    def held(self) -> Held:
        """What one request holds."""
        return Held(self)


@dataclass(frozen=True)
class Sent:
    """A request as it was sent, its headers checked: `transport` is "http" or "grpc", whose messages tell no coding.

    `address` is the sender's.
    """

    otlp: OtlpSignal
    body: bytes
    media: Media
    transport: str
    content_encoding: str | None = None
    address: str | None = None

    def plain(self, limit: int, take: Take) -> bytes:
        """The body without compression; raises `RefusedError`."""
        if self.transport == "grpc":
            return decompressed_message(self.body, limit, take)
        return decompressed(self.body, self.content_encoding, limit, take)

    @property
    def is_quick(self) -> bool:
        """Whether it may be looked at on the event loop."""
        is_plain = self.transport == "grpc" or self.content_encoding is None
        return is_plain and not self.body.startswith(b"\x1f") and len(self.body) <= _INLINE_BYTES[self.media]


class Intake:
    """Takes bodies in and returns when they are on disk; `stopping` makes it refuse all."""

    def __init__(self, journal: JournalWriter, *, max_body_bytes: int, redact: bool = False) -> None:
        """Feed `journal`; `max_body_bytes` bounds a body after decompression, `redact` takes secrets out of it."""
        self.refusals = Refusals(journal)
        self.max_body_bytes = max_body_bytes
        # One request alone may take its body as sent and decompressed, or decompressed and as stored.
        self.budget = Budget(max(_HELD_BYTES, 2 * max_body_bytes + (2 << 20)))
        self.metrics = Metrics(self.refusals, journal.size_bytes, lambda: self.budget.taken_bytes)
        journal.on_sync = self.metrics.synced
        self.stopping = False
        self._journal = journal
        self._redact = redact
        self._active_count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._reported_at_s = -_REPORT_EVERY_S
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="admission")
        self._one_large = threading.Lock()

    async def accept(self, sent: Sent) -> Message:
        """The export response, once the request, which the caller holds, is durable; raises `RefusedError`."""
        if self.stopping:
            raise RefusedError(Reason.STOPPING)
        self.metrics.received(sent.otlp.name, sent.transport, len(sent.body))
        self._active_count += 1
        self._idle.clear()
        try:
            return await self._accept(sent)
        except (RefusedError, asyncio.CancelledError):
            raise
        except JournalFullError as error:
            raise RefusedError(Reason.JOURNAL_FULL, str(error)) from error
        except JournalError as error:
            self._report(str(error))
            raise RefusedError(Reason.JOURNAL_FAILED) from error
        except Exception as error:
            self._report(traceback.format_exc())
            raise RefusedError(Reason.INTERNAL) from error
        finally:
            self._active_count -= 1
            if not self._active_count:
                self._idle.set()

    async def is_ready(self) -> bool:
        """Whether a request would be acknowledged now."""
        if self.stopping:
            return False
        return self._journal.failure is None or await self.refusals.can_write()

    async def drain(self, timeout_s: float) -> None:
        """Wait until the requests under way are answered, at most `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            pass

    async def _accept(self, sent: Sent) -> Message:
        received_at_ns = time.time_ns()
        with self.budget.held() as held:
            work = partial(self._admit, sent, held)
            if sent.is_quick and not (self._redact and len(sent.body) > _INLINE_REDACTED_BYTES):
                admitted = work()
            else:
                admitted = await asyncio.get_running_loop().run_in_executor(self._threads, work)
            if admitted.body:
                journaled = self._journal.submit(sent.otlp.signal, admitted.body, received_at_ns, sent.address)
                await asyncio.wrap_future(journaled)
                self.metrics.journaled(sent.otlp.name, sent.transport, len(admitted.body))
        if admitted.rejected_count:
            self.refusals.count(sent.otlp.name, Reason.WRONG_IDS, admitted.rejected_count)
        return _response(sent.otlp, admitted)

    def _admit(self, sent: Sent, held: Held) -> Admitted:
        """Decompress and check, one large body at a time; what comes beside the body is added to `held`."""
        with ExitStack() as turn:
            size = len(sent.body)
            if size > _LARGE_BYTES:
                turn.enter_context(self._one_large)

            def take(count: int) -> None:
                if size <= _LARGE_BYTES < held.count + count and not held.is_large:
                    held.is_large = True
                    turn.enter_context(self._one_large)
                held.take(count)

            plain = sent.plain(self.max_body_bytes, take)
            admitted = admit(sent.otlp, plain, sent.media)
            if self._redact:
                (clean,) = redacted_bodies([(sent.otlp.signal, admitted.body)])
                admitted = replace(admitted, body=clean)
            if admitted.body is not plain:
                take(len(admitted.body))
            return admitted

    def _report(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_at_s >= _REPORT_EVERY_S:
            self._reported_at_s = now_s
            print(text, file=sys.stderr, flush=True)


def _response(otlp: OtlpSignal, admitted: Admitted) -> Message:
    """The response, with `partial_success` only where there is something to say (traces alone reject items)."""
    if not admitted.message:
        return otlp.response()
    partial_success: dict[str, str | int] = {"error_message": admitted.message}
    if admitted.rejected_count:
        partial_success["rejected_spans"] = admitted.rejected_count
    return otlp.response(partial_success=partial_success)
