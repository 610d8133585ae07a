"""Send recorded OTLP to a collector again: with its own clock and ids, or moved to now under new ids."""

from __future__ import annotations

import heapq
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal

from spandeck_collector.otlp_sender import DEFAULT_ENDPOINT, Answer, OtlpSender, SendError
from spandeck_collector.parcels import Parcel
from spandeck_collector.recordings import RecordingError, find_recordings, read_recording
from spandeck_collector.shifting import Shift

_BATCH_ITEMS = 512
_NS_PER_S = 1_000_000_000


class ReplayError(RuntimeError):
    """The replay cannot start or go on; the sentence says what to do."""


@dataclass(frozen=True)
class ReplayProgress:
    """How far a replay has come: spans sent so far, spans in all files, requests sent so far."""

    sent_span_count: int
    span_count: int
    request_count: int


@dataclass(frozen=True)
class ReplaySummary:
    """What was sent.

    `refused_span_count` of `sent_span_count` were not taken: rejected one by one, or with a whole request
    (`failed_request_count`). `sent_other_count` are log records and metrics. `shift_ns` is what was added
    to every time. `trace_ids` are those sent, in order.
    """

    files: tuple[Path, ...]
    request_count: int
    failed_request_count: int
    sent_span_count: int
    refused_span_count: int
    sent_other_count: int
    first_error: str | None
    shift_ns: int
    trace_ids: tuple[str, ...]


def replay(
    paths: Sequence[Path],
    *,
    endpoint: str = DEFAULT_ENDPOINT,
    at: Literal["now", "original"] = "now",
    speed: float | None = None,
    token: str | None = None,
    tls: ssl.SSLContext | None = None,
    progress: Callable[[ReplayProgress], None] | None = None,
    now_ns: int | None = None,
) -> ReplaySummary:
    """Send files and folders of recordings to an OTLP/HTTP endpoint.

    `at="original"` keeps times and ids, so that sending twice stores once. `at="now"` moves the latest end
    of all files to `now_ns` (Unix nanoseconds; the clock's when None) and derives new ids from recording,
    shift and old id. `speed=N` keeps the pace of the recorded clock, N times faster, file by file
    interleaved; None sends as fast as it can. All files are read once before anything is sent. `tls` says whom to
    trust at an https endpoint.

    Raises `ReplayError` for a file that is no recording, a collector that does not answer or a refused token.
    """
    if speed is not None and speed <= 0:
        raise ReplayError(f"The speed is {speed:g}: it must be above 0, or max.")
    try:
        files = find_recordings(paths)
        survey = _survey(files)
        shift_ns = 0
        if at == "now" and survey.latest_ns:
            shift_ns = (time.time_ns() if now_ns is None else now_ns) - survey.latest_ns
        tally = _Tally(tuple(files), survey.span_count, shift_ns)
        parcels = _moved(_in_order(files, speed), shift_ns if at == "now" else None)
        with OtlpSender(endpoint, token, tls) as sender:
            for batch in _batches(parcels, _Pace(speed)):
                tally.count(batch, sender.send(batch))
                if progress:
                    progress(tally.progress())
    except (RecordingError, SendError) as error:
        raise ReplayError(str(error)) from error
    return tally.summary()


@dataclass(frozen=True)
class _Survey:
    span_count: int
    latest_ns: int


def _survey(files: Iterable[Path]) -> _Survey:
    span_count = latest_ns = 0
    for parcel in chain.from_iterable(map(read_recording, files)):
        span_count += parcel.span_count
        latest_ns = max(latest_ns, parcel.latest_ns)
    return _Survey(span_count, latest_ns)


def _in_order(files: Sequence[Path], speed: float | None) -> Iterator[Parcel]:
    """File after file, or by the recorded clock when the pace matters; lines of a file keep their order."""
    readers = [read_recording(file) for file in files]
    if speed is None:
        return chain.from_iterable(readers)
    return heapq.merge(*readers, key=lambda parcel: parcel.latest_ns)


def _moved(parcels: Iterable[Parcel], shift_ns: int | None) -> Iterator[Parcel]:
    for parcel in parcels:
        if shift_ns is not None:
            parcel.shift(Shift(shift_ns, parcel.recording))
        yield parcel


def _batches(parcels: Iterable[Parcel], pace: _Pace) -> Iterator[Parcel]:
    """Merge neighbours into requests of up to 512 items, but hold none back that is due before the next."""
    batch: Parcel | None = None
    for parcel in parcels:
        wait_s = pace.wait_s(parcel)
        if batch is not None and (wait_s > 0 or not _fits(batch, parcel)):
            yield batch
            batch = None
        pace.wait_for(parcel)
        if batch is None:
            batch = parcel
        else:
            batch.absorb(parcel)
    if batch is not None:
        yield batch


def _fits(batch: Parcel, parcel: Parcel) -> bool:
    is_alike = type(batch) is type(parcel) and batch.layout is parcel.layout
    return is_alike and batch.item_count + parcel.item_count <= _BATCH_ITEMS


class _Pace:
    """Maps the recorded clock to this machine's, `speed` times faster; no speed means no waiting."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._start_ns: int | None = None
        self._started_s = 0.0

    def wait_s(self, parcel: Parcel) -> float:
        """Seconds until this parcel is due; the first one with a time is due at once and starts the clock."""
        if self._speed is None or not parcel.latest_ns:
            return 0.0
        if self._start_ns is None:
            self._start_ns, self._started_s = parcel.latest_ns, time.monotonic()
        due_s = (parcel.latest_ns - self._start_ns) / _NS_PER_S / self._speed
        return due_s - (time.monotonic() - self._started_s)

    def wait_for(self, parcel: Parcel) -> None:
        """Sleep until this parcel is due."""
        wait_s = self.wait_s(parcel)
        if wait_s > 0:
            time.sleep(wait_s)


@dataclass
class _Tally:
    files: tuple[Path, ...]
    span_count: int
    shift_ns: int
    request_count: int = 0
    failed_request_count: int = 0
    sent_span_count: int = 0
    refused_span_count: int = 0
    sent_other_count: int = 0
    first_error: str | None = None
    trace_ids: dict[str, None] = field(default_factory=dict)

    def count(self, batch: Parcel, answer: Answer) -> None:
        self.request_count += 1
        self.failed_request_count += not answer.is_accepted
        self.first_error = self.first_error or answer.error
        if batch.span_count:
            self.sent_span_count += batch.span_count
            self.refused_span_count += answer.rejected_count
            self.trace_ids |= dict.fromkeys(batch.trace_ids())
        else:
            self.sent_other_count += batch.item_count

    def progress(self) -> ReplayProgress:
        return ReplayProgress(self.sent_span_count, self.span_count, self.request_count)

    def summary(self) -> ReplaySummary:
        return ReplaySummary(
            files=self.files,
            request_count=self.request_count,
            failed_request_count=self.failed_request_count,
            sent_span_count=self.sent_span_count,
            refused_span_count=self.refused_span_count,
            sent_other_count=self.sent_other_count,
            first_error=self.first_error,
            shift_ns=self.shift_ns,
            trace_ids=tuple(self.trace_ids),
        )
