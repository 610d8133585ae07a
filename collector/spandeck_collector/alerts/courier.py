"""Hands messages to the sending process from a thread of its own, one at a time; nobody waits for it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from queue import Empty, Queue

from spandeck_collector.alerts.channels import AlertChannel
from spandeck_collector.alerts.message import AlertMessage

_TIMEOUT_S = 30.0
_ENDS_WITHIN_S = 2.0
_MOST_ANSWER_BYTES = 1 << 16


@dataclass(frozen=True)
class Delivery:
    """What became of a message; `error` None: the channel took it."""

    alert_key: str
    channel: str
    error: str | None


class Courier:
    """`submit` and `take_results` are for one thread; `close` ends thread and process."""

    def __init__(
        self, channels: tuple[AlertChannel, ...], *, private_targets: bool, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self._urls = {channel.name: channel.url for channel in channels}
        self._private_targets = private_targets
        self._timeout_s = timeout_s
        self._orders: Queue[AlertMessage | None] = Queue()
        self._results: Queue[Delivery] = Queue()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="alert-courier", daemon=True)
        self._thread.start()

    def submit(self, message: AlertMessage) -> None:
        """Take a message; its result comes later."""
        self._orders.put(message)

    def waiting_count(self) -> int:
        """About how many messages wait here."""
        return self._orders.qsize()

    def take_results(self) -> list[Delivery]:
        """What has become of messages since the last call."""
        results: list[Delivery] = []
        while True:
            try:
                results.append(self._results.get_nowait())
            except Empty:
                return results

    def close(self) -> None:
        """End; messages that wait are sent after the next start."""
        self._orders.put(None)
        process = self._process
        if process is not None:
            process.kill()
        self._thread.join(_ENDS_WITHIN_S)

    def _run(self) -> None:
        while (message := self._orders.get()) is not None:
            try:
                error = self._send(message)
            except (OSError, ValueError) as problem:
                self._end_process()
                error = f"The sending process ended: {problem}."
            self._results.put(Delivery(message.alert_key, message.channel, error))
        self._end_process()

    def _send(self, message: AlertMessage) -> str | None:
        if message.channel not in self._urls:
            return "The channel is no longer among the settings."
        order = {"url": self._urls[message.channel], "title": message.title, "body": message.body, "kind": message.kind}
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise OSError("it has no pipes")
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        answer = _line(process.stdout.fileno(), time.monotonic() + self._timeout_s)
        if answer is None:
            self._end_process()
            return f"The channel did not answer within {self._timeout_s:g} s."
        error = json.loads(answer)["error"]
        return None if error is None else str(error)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "spandeck_collector.alerts.sender"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"SPANDECK_ALERT_PRIVATE_TARGETS": "1" if self._private_targets else "0"},
            )
        return self._process

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _line(descriptor: int, deadline: float) -> bytes | None:
    """One line from a pipe; None when it does not come in time. Raises `OSError` when the other side has ended."""
    received = b""
    while not received.endswith(b"\n"):
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
            return None
        part = os.read(descriptor, _MOST_ANSWER_BYTES)
        if not part or len(received) > _MOST_ANSWER_BYTES:
            raise OSError("it gave no answer")
        received += part
    return received
