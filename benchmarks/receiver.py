"""`python -m benchmarks.receiver`: many exporters at once, and what large and hostile bodies cost. Linux only.

Exits with 1 when a bound is broken: every request of 100 exporters is answered with 200 and the 99th percentile of
the acknowledgement is below 250 ms, and no body takes the receiver more than 200 MiB above what it takes idle.
Progress goes to stderr; `--json` prints the figures for machines.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.hostile_bodies import PROTOBUF, Case, cases, small_request
from benchmarks.stack import free_ports

MOST_P99_MS, MOST_MIB = 250.0, 200.0
_EXPORTERS = 100
_READY_S = 30.0


@dataclass
class Receiver:
    """A running receiver on a port of 127.0.0.1."""

    process: subprocess.Popen[bytes]
    port: int

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request("POST", "/v1/traces", body, headers)
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    def mib(self, key: str) -> float:
        """VmRSS (now) or VmHWM (the highest so far) of the process."""
        found = re.search(rf"{key}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def cpu_s(self) -> float:
        """User and system seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


_BARE = """
import asyncio, sys
async def serve(reader, writer):
    while head := await reader.readuntil(b"\\r\\n\\r\\n"):
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n")
async def main():
    await (await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))).serve_forever()
asyncio.run(main())
"""


@contextmanager
def bare() -> Iterator[Receiver]:
    """A server that reads and answers and does nothing else: what the machine itself takes."""
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port)], stderr=subprocess.DEVNULL)
    try:
        receiver = Receiver(process, port)
        _wait_until_ready(receiver)
        yield receiver
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running() -> Iterator[Receiver]:
    """A receiver alone, in a folder of its own."""
    http_port, grpc_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="spandeck-bench-") as folder:
        ports = {"SPANDECK_HTTP_PORT": str(http_port), "SPANDECK_GRPC_PORT": str(grpc_port)}
        process = subprocess.Popen(
            [sys.executable, "-m", "spandeck_collector.receiver"],
            env=os.environ | ports | {"SPANDECK_DATA_DIR": folder},
            stderr=subprocess.DEVNULL,
        )
        try:
            receiver = Receiver(process, http_port)
            _wait_until_ready(receiver)
            yield receiver
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(receiver: Receiver) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            if receiver.post(small_request(1, 1), {"Content-Type": PROTOBUF}) == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("The receiver did not get ready.")


@dataclass
class Load:
    """What a number of exporters at once saw; times in ms, `cpu_ratio` is seconds of the receiver's CPU by second."""

    server: str
    exporters: int
    requests: int
    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float
    requests_per_s: float
    cpu_ratio: float


def load(
    exporters: int, each: int, pause_s: float, server: Callable[[], AbstractContextManager[Receiver]] = running
) -> Load:
    """`exporters` that start together; each sends 20 spans, waits for the answer and then `pause_s`."""
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    lock, barrier = threading.Lock(), threading.Barrier(exporters + 1)

    def export(number: int, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        barrier.wait()
        for step in range(each):
            body = small_request(20, (number * each + step) * 20 + 1)
            began = time.perf_counter()
            connection.request("POST", "/v1/traces", body, {"Content-Type": PROTOBUF})
            response = connection.getresponse()
            response.read()
            with lock:
                latencies.append((time.perf_counter() - began) * 1000)
                statuses[response.status] = statuses.get(response.status, 0) + 1
            time.sleep(pause_s)
        connection.close()

    with server() as receiver:
        threads = [threading.Thread(target=export, args=(number, receiver.port)) for number in range(exporters)]
        for thread in threads:
            thread.start()
        cpu_s, began = receiver.cpu_s(), time.perf_counter()
        barrier.wait()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        cpu_s = receiver.cpu_s() - cpu_s
    cuts = quantiles(latencies, n=100)
    rate = len(latencies) / seconds
    return Load(server.__name__, exporters, len(latencies), statuses, cuts[49], cuts[98], rate, cpu_s / seconds)


@dataclass
class Cost:
    """What a body came to: statuses, seconds until all were answered, MiB above idle at most and after it."""

    name: str
    sent_mib: float
    statuses: list[int]
    seconds: float
    peak_mib: float
    after_mib: float


def cost(case: Case) -> Cost:
    """Send the body of a case, several times at once where it says so."""
    body = case.make()
    with running() as receiver:
        idle = receiver.mib("VmRSS")
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(receiver.post(body, case.headers)))
            for _ in range(case.times)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        peak, after = receiver.mib("VmHWM") - idle, receiver.mib("VmRSS") - idle
    return Cost(case.name, len(body) / (1 << 20), sorted(statuses), seconds, peak, after)


def main() -> int:
    """Measure, print; 1 where a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receiver", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    as_json = parser.parse_args().json
    loads = [
        load(1, 200, 0.0),
        load(_EXPORTERS, 20, 1.0, bare),
        load(_EXPORTERS, 20, 1.0),
        load(_EXPORTERS, 40, 0.0, bare),
        load(_EXPORTERS, 40, 0.0),
    ]
    console = Console(stderr=True)
    costs = [cost(case) for case in track(cases(), "Bodies", console=console)]
    if as_json:
        print(json.dumps({"loads": [asdict(each) for each in loads], "bodies": [asdict(each) for each in costs]}))
    else:
        _print(loads, costs)
    paced = loads[2]
    kept = paced.p99_ms < MOST_P99_MS and all(set(each.statuses) == {http.HTTPStatus.OK} for each in loads)
    return 0 if kept and all(each.peak_mib < MOST_MIB for each in costs) else 1


def _print(loads: list[Load], costs: list[Cost]) -> None:
    console = Console(width=110)
    table = Table("server", "exporters", "requests", "statuses", "p50 ms", "p99 ms", "requests/s", "CPU")
    for each in loads:
        figures = f"{each.p50_ms:.1f}", f"{each.p99_ms:.1f}", f"{each.requests_per_s:.0f}", f"{each.cpu_ratio:.0%}"
        table.add_row(each.server, str(each.exporters), str(each.requests), str(each.statuses), *figures)
    console.print(table)
    bodies = Table("body", "sent MiB", "statuses", "s", "peak MiB", "after MiB")
    for item in costs:
        numbers = f"{item.seconds:.2f}", f"{item.peak_mib:.0f}", f"{item.after_mib:.0f}"
        bodies.add_row(item.name, f"{item.sent_mib:.1f}", str(item.statuses), *numbers)
    console.print(bodies)


if __name__ == "__main__":
    sys.exit(main())
