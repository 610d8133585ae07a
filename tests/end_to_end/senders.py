"""Exporters that never give up: each keeps a ledger of what the receiver acknowledged."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.waiting import DEADLINE_S
from tests.support.web import export

CALLS_A_TRACE = 9
TRACE_SPANS = 1 + CALLS_A_TRACE
INPUT_TOKENS = 100
_RETRY_S = 0.05
_PROMPT = "What is the state of order 4711, and when will it arrive? " * 16


@dataclass
class Ledger:
    """Acknowledged span ids, and how often a request had to be sent again."""

    span_ids: list[str] = field(default_factory=list)
    retry_count: int = 0
    failure: BaseException | None = None


@contextmanager
def sending(port: int, *, senders: int, traces_a_request: int, pause_s: float) -> Iterator[list[Ledger]]:
    """Send from `senders` threads until the block ends; then every request that was begun is acknowledged."""
    ledgers = [Ledger() for _ in range(senders)]
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=_send,
            args=(port, number, ledger, stop),
            kwargs={"traces": traces_a_request, "pause_s": pause_s},
        )
        for number, ledger in enumerate(ledgers, start=1)
    ]
    for thread in threads:
        thread.start()
    try:
        yield ledgers
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for ledger in ledgers:
        assert ledger.failure is None, ledger.failure


def one_request(sender: int, first: int, traces: int = 1) -> bytes:
    """A request as the senders send it, with the traces from number `first` on."""
    return request_and_ids(sender, first, traces)[0]


def _send(port: int, sender: int, ledger: Ledger, stop: threading.Event, *, traces: int, pause_s: float) -> None:
    first = 1
    try:
        while not stop.is_set():
            request, span_ids = request_and_ids(sender, first, traces)
            ledger.retry_count += _send_until_acknowledged(port, request)
            ledger.span_ids += span_ids
            first += traces
            stop.wait(pause_s)
    except BaseException as failure:
        ledger.failure = failure


def _send_until_acknowledged(port: int, body: bytes) -> int:
    """Send the same bytes until the answer is 200, as exporters do; returns how often they were sent again."""
    deadline = time.monotonic() + DEADLINE_S
    retries = 0
    while (status := export(port, body)) != http.HTTPStatus.OK:
        assert status in {None, http.HTTPStatus.SERVICE_UNAVAILABLE}, status
        assert time.monotonic() < deadline, "The receiver did not come back."
        retries += 1
        time.sleep(_RETRY_S)
    return retries


def request_and_ids(sender: int, first: int, traces: int) -> tuple[bytes, list[str]]:
    """A request with the traces from number `first` on, and the ids of its spans."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = f"sender-{sender}"
    spans = resource.scope_spans.add().spans
    for number in range(first, first + traces):
        spans.extend(_trace(sender, number))
    return request.SerializeToString(), [span.span_id.hex() for span in spans]


def _trace(sender: int, number: int) -> Iterator[Span]:
    ids = [((sender << 48) + (number << 8) + place).to_bytes(8, "big") for place in range(TRACE_SPANS)]
    started_ns = time.time_ns() - 1_000_000_000
    for place, span_id in enumerate(ids):
        span = Span(trace_id=ids[0] + ids[0], span_id=span_id, start_time_unix_nano=started_ns)
        span.end_time_unix_nano = started_ns + 500_000_000
        if place == 0:
            span.name = "invoke_agent sender"
        else:
            span.parent_span_id, span.name = ids[0], "chat gpt-4o"
            _describe(span)
        yield span


def _describe(span: Span) -> None:
    texts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    for key, text in {**texts, "gen_ai.input.messages": _PROMPT}.items():
        span.attributes.add(key=key).value.string_value = text
    span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = INPUT_TOKENS
    span.attributes.add(key="gen_ai.usage.output_tokens").value.int_value = 10
