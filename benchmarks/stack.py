"""The three real processes on free ports in a folder of their own, and what the kernel says of them (Linux)."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spandeck_collector.query_client import ask
from spandeck_collector.settings import Settings
from spandeck_collector.supervisor import Supervisor

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1 << 20
_SAMPLE_S = 0.1


@dataclass
class Stack:
    """Running processes: `process_ids` by name, `seconds_to_ready` from the start of the first to the last's ready."""

    settings: Settings
    process_ids: dict[str, int]
    seconds_to_ready: float

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Ask the query service."""
        rows: list[dict[str, Any]] = ask(self.settings.url(self.settings.query_port), sql, params).to_pylist()
        return rows

    def stored_span_count(self) -> int:
        """How many spans a query sees."""
        return int(self.rows("select coalesce(sum(span_count), 0)::bigint as n from traces")[0]["n"])

    def cpu_s(self) -> dict[str, float]:
        """User and system CPU seconds so far, by process."""
        return {name: _cpu_s(process_id) for name, process_id in self.process_ids.items()}

    def rss_mib(self) -> dict[str, float]:
        """Resident memory now, by process."""
        return {name: _rss_mib(process_id) for name, process_id in self.process_ids.items()}

    def database_bytes(self) -> int:
        """Bytes of the database file and its write-ahead log."""
        path = self.settings.database
        return sum(file.stat().st_size for file in (path, path.with_suffix(".duckdb.wal")) if file.exists())

    def is_checkpointed(self) -> bool:
        """Whether everything is in the database file itself."""
        log = self.settings.database.with_suffix(".duckdb.wal")
        return not log.exists() or log.stat().st_size == 0


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Start receiver, store and dashboard as `spandeck up` does; they are stopped at the end, however that comes."""
    http, grpc, query, page = free_ports(4)
    settings = Settings(data_dir=folder, http_port=http, grpc_port=grpc, query_port=query, ui_port=page)
    supervisor = Supervisor(settings)
    began = time.monotonic()
    try:
        supervisor.start()
        seconds = time.monotonic() - began
        ids = {child.name: child.process.pid for child in supervisor.children if child.process}
        yield Stack(settings, ids, seconds)
    finally:
        supervisor.stop()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has just now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class MemoryWatch:
    """Samples resident memory in a thread while it is open; `peak_mib` by process."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak_mib: dict[str, float] = {}

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            for name, mib in self._stack.rss_mib().items():
                self.peak_mib[name] = max(self.peak_mib.get(name, 0.0), mib)
            if self._stop.wait(_SAMPLE_S):
                return


def _cpu_s(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


def _rss_mib(process_id: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process_id}/status").read_text())
    return int(found[1]) * 1024 / _MIB if found else 0.0
