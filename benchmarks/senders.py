"""Sends bodies over kept HTTP connections: as fast as they are acknowledged, or at a pace."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.agent_spans import Body, Template

_TIMEOUT_S = 60.0
_RETRY_S = 0.2


@dataclass
class Source:
    """Bodies without end: each template in turn, always under new ids. Safe for threads."""

    templates: Sequence[Template]
    taken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Body:
        """The next body."""
        with self.lock:
            self.taken += 1
            number = self.taken
        return self.templates[number % len(self.templates)].body(number)


@dataclass
class Sent:
    """What a load came to: spans acknowledged, seconds from first to last, each request's latency in ms.

    `delayed_count` is how often the receiver asked to come again. Safe for threads.
    """

    span_count: int = 0
    seconds: float = 0.0
    delayed_count: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, connection: Connection, body: Body) -> None:
        """Send one body and count it."""
        began = time.perf_counter()
        delayed_count = connection.send(body.payload)
        latency_ms = (time.perf_counter() - began) * 1000
        with self.lock:
            self.span_count += body.span_count
            self.delayed_count += delayed_count
            self.latencies_ms.append(latency_ms)


class Connection:
    """One kept connection to the receiver's trace endpoint."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)

    def send(self, payload: bytes) -> int:
        """Post one protobuf request; returns how often the receiver asked to come again before it took it.

        Raises `RuntimeError` for any answer but 200 and 503.
        """
        delayed_count = 0
        while (status := self._post(payload)) != http.HTTPStatus.OK:
            if status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                raise RuntimeError(f"The receiver answered {status} to a valid request: see its log.")
            delayed_count += 1
            time.sleep(_RETRY_S)
        return delayed_count

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _post(self, payload: bytes) -> int:
        self._http.request("POST", "/v1/traces", payload, {"Content-Type": "application/x-protobuf"})
        response = self._http.getresponse()
        response.read()
        return response.status


def saturate(port: int, source: Source, bodies: int, connections: int, tick: Callable[[int], None]) -> Sent:
    """Send `bodies` requests over `connections`, each as soon as the one before on it was acknowledged."""
    sent = Sent()

    def work(first: int) -> None:
        connection = Connection(port)
        for _ in range(first, bodies, connections):
            body = source.next()
            sent.send(connection, body)
            tick(body.span_count)
        connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as threads:
        for _ in threads.map(work, range(connections)):
            pass
    sent.seconds = time.perf_counter() - began
    return sent


def pace(port: int, source: Source, spans_per_s: float, seconds: float) -> Sent:
    """Send one request after another at `spans_per_s` for `seconds`, whatever the answers take."""
    sent, connection = Sent(), Connection(port)
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        wait_s = sent.span_count / spans_per_s - elapsed
        if wait_s > 0:
            time.sleep(min(wait_s, seconds - elapsed))
        else:
            sent.send(connection, source.next())
    connection.close()
    sent.seconds = time.perf_counter() - began
    return sent
