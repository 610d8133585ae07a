"""Sends bodies over kept HTTP connections: as fast as they are acknowledged, or at a pace."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.agent_spans import Body, Template

_TIMEOUT_S = 60.0
_RETRY_S = 0.2


@dataclass
class Sent:
    """What a load came to: spans acknowledged, seconds until the last one, and each request's latency in ms."""

    span_count: int = 0
    seconds: float = 0.0
    delayed_count: int = 0
    latencies_ms: list[float] = field(default_factory=list)


class Connection:
    """One kept connection to the receiver's trace endpoint."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)

    def send(self, payload: bytes) -> int:
        """Post one protobuf request; returns how often the receiver asked to come again before it took it.

        Raises `RuntimeError` for any answer but 200 and 503.
        """
        delays = 0
        while (status := self._post(payload)) != http.HTTPStatus.OK:
            if status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                raise RuntimeError(f"The receiver answered {status} to a valid request: see its log.")
            delays += 1
            time.sleep(_RETRY_S)
        return delays

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _post(self, payload: bytes) -> int:
        self._http.request("POST", "/v1/traces", payload, {"Content-Type": "application/x-protobuf"})
        response = self._http.getresponse()
        response.read()
        return response.status


class Numbers:
    """Numbers for bodies, each given once, whichever thread asks."""

    def __init__(self) -> None:
        self._next = 1
        self._lock = threading.Lock()

    def take(self) -> int:
        """The next number."""
        with self._lock:
            self._next += 1
            return self._next


def saturate(
    port: int,
    templates: Sequence[Template],
    numbers: Numbers,
    bodies: int,
    connections: int,
    tick: Callable[[int], None],
) -> Sent:
    """Send `bodies` requests over `connections`, each as soon as the one before was acknowledged."""
    sent, lock = Sent(), threading.Lock()
    waiting = iter(range(bodies))

    def work() -> None:
        connection = Connection(port)
        for body in _until_empty(waiting, lock, templates, numbers):
            began = time.perf_counter()
            delays = connection.send(body.payload)
            latency_ms = (time.perf_counter() - began) * 1000
            with lock:
                sent.span_count += body.span_count
                sent.delayed_count += delays
                sent.latencies_ms.append(latency_ms)
                tick(body.span_count)
        connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.seconds = time.perf_counter() - began
    return sent


def pace(port: int, templates: Sequence[Template], numbers: Numbers, spans_per_s: float, seconds: float) -> Sent:
    """Send one request after another at `spans_per_s` for `seconds`, whatever the answers take."""
    sent, connection = Sent(), Connection(port)
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        wait_s = sent.span_count / spans_per_s - elapsed
        if wait_s > 0:
            time.sleep(min(wait_s, seconds - elapsed))
            continue
        number = numbers.take()
        body = templates[number % len(templates)].body(number)
        asked = time.perf_counter()
        sent.delayed_count += connection.send(body.payload)
        sent.latencies_ms.append((time.perf_counter() - asked) * 1000)
        sent.span_count += body.span_count
    connection.close()
    sent.seconds = time.perf_counter() - began
    return sent


def _until_empty(
    waiting: Iterator[int], lock: threading.Lock, templates: Sequence[Template], numbers: Numbers
) -> Iterator[Body]:
    while True:
        with lock:
            index = next(waiting, None)
        if index is None:
            return
        yield templates[index % len(templates)].body(numbers.take())
