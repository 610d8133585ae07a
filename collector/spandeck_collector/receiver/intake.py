"""The way of an accepted request, the same for both transports: admission, journal, then the acknowledgement."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from google.protobuf.message import Message

from spandeck_collector.journal import JournalError, JournalFullError, JournalWriter
from spandeck_collector.receiver.admission import WRONG_IDS, Admitted, Media, admit, decompressed
from spandeck_collector.receiver.otlp_signals import OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.receiver.refusals import Refusals
from spandeck_collector.redaction import redacted_bodies

_THREADS = 2
_INLINE_BYTES = {Media.PROTOBUF: 4 << 20, Media.JSON: 64 << 10}
_INLINE_REDACTED_BYTES = 8 << 10
_REPORT_EVERY_S = 10.0
_UNDER_WAY_BYTES = 160 << 20


class UnderWay:
    """A budget of bytes for all bodies that are held at once, as sent and decompressed; for any thread."""

    def __init__(self, limit_bytes: int) -> None:
        """Allow `limit_bytes` together."""
        self._limit_bytes = limit_bytes
        self._taken_bytes = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Count `count` bytes as held; raises `RefusedError` and counts nothing where they are too many."""
        with self._lock:
            if self._taken_bytes + count > self._limit_bytes:
                raise RefusedError(Reason.BUSY)
            self._taken_bytes += count

    def give_back(self, count: int) -> None:
        """Count `count` bytes as let go."""
        with self._lock:
            self._taken_bytes -= count

    @contextmanager
    def holding(self, count: int) -> Iterator[None]:
        """Hold `count` bytes for a while."""
        self.take(count)
        try:
            yield
        finally:
            self.give_back(count)


class Intake:
    """Takes bodies in and returns when they are on disk; `stopping` makes it refuse all."""

    def __init__(self, journal: JournalWriter, *, max_body_bytes: int, redact: bool = False) -> None:
        """Feed `journal`; `max_body_bytes` bounds a body after decompression, `redact` takes secrets out of it."""
        self.refusals = Refusals(journal)
        self.max_body_bytes = max_body_bytes
        # One request alone may take its body as sent, decompressed and as stored.
        self.under_way = UnderWay(max(_UNDER_WAY_BYTES, 3 * max_body_bytes))
        self.stopping = False
        self._journal = journal
        self._redact = redact
        self._active_count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._reported_at_s = -_REPORT_EVERY_S
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="admission")

    async def accept(
        self,
        otlp: OtlpSignal,
        body: bytes,
        media: Media,
        content_encoding: str | None = None,
        address: str | None = None,
    ) -> Message:
        """The export response, once the request from `address` is durable; raises `RefusedError`."""
        if self.stopping:
            raise RefusedError(Reason.STOPPING)
        self._active_count += 1
        self._idle.clear()
        try:
            return await self._accept(otlp, body, media, content_encoding, address)
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

    async def _accept(
        self, otlp: OtlpSignal, body: bytes, media: Media, content_encoding: str | None, address: str | None
    ) -> Message:
        received_at_ns = time.time_ns()
        work = partial(self._admit, otlp, body, media, content_encoding)
        most_bytes = _INLINE_REDACTED_BYTES if self._redact else _INLINE_BYTES[media]
        if content_encoding is None and len(body) <= most_bytes:
            admitted = work()
        else:
            admitted = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        if admitted.body:
            with self.under_way.holding(0 if admitted.body is body else len(admitted.body)):
                journaled = self._journal.submit(otlp.signal, admitted.body, received_at_ns, address)
                await asyncio.wrap_future(journaled)
        if admitted.rejected_count:
            self.refusals.count(otlp.name, WRONG_IDS, admitted.rejected_count)
        return _response(otlp, admitted)

    def _admit(self, otlp: OtlpSignal, body: bytes, media: Media, content_encoding: str | None) -> Admitted:
        plain = decompressed(body, content_encoding, self.max_body_bytes)
        with self.under_way.holding(0 if plain is body else len(plain)):
            admitted = admit(otlp, plain, media)
            if not self._redact:
                return admitted
            (clean,) = redacted_bodies([(otlp.signal, admitted.body)])
            return replace(admitted, body=clean)

    def _report(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_at_s >= _REPORT_EVERY_S:
            self._reported_at_s = now_s
            print(text, file=sys.stderr, flush=True)


def _response(otlp: OtlpSignal, admitted: Admitted) -> Message:
    """The response, with `partial_success` only where something was rejected (traces alone reject items)."""
    if not admitted.rejected_count:
        return otlp.response()
    return otlp.response(partial_success={"rejected_spans": admitted.rejected_count, "error_message": admitted.message})
