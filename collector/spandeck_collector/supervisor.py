"""Starts receiver, store and dashboard as processes, restarts what dies, and takes them down together."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

from spandeck_collector.settings import PREFIX, Settings, SettingsError

_USED_WRONGLY = 2
_LOOK_S = 0.1
_STOP_WITHIN_S = 12.0
_SHORTEST_BACKOFF_S = 0.2
_LONGEST_BACKOFF_S = 5.0
_STEADY_S = 30.0
_MOST_LOG_BYTES = 10 << 20


class StartError(RuntimeError):
    """A process cannot start; the text is its own sentence."""


@dataclass
class Child:
    """One process: `module` is run, `ready_path` on `port` answers 200 when it can work."""

    name: str
    module: str
    port: int
    ready_path: str
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    backoff_s: float = _SHORTEST_BACKOFF_S
    restart_at: float = field(default=0.0)


class Supervisor:
    """The processes of one `spandeck up`."""

    def __init__(self, settings: Settings, *, with_dashboard: bool = True) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self.children = [
            Child("store", "spandeck_collector.store", settings.query_port, "/readyz"),
            Child("receiver", "spandeck_collector.receiver", settings.http_port, "/readyz"),
        ]
        if with_dashboard:
            self.children.append(Child("dashboard", "spandeck_dashboard", settings.ui_port, "/_stcore/health"))

    def start(self, timeout_s: float = 60.0) -> None:
        """Start all processes and return when all are ready.

        Raises `SettingsError` for a port that is taken and `StartError` for a process that gives up.
        """
        self._check_ports()
        self._settings.log_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        for child in self.children:
            self._spawn(child)
        deadline = time.monotonic() + timeout_s
        waiting = list(self.children)
        while waiting and not self._stop.is_set():
            self._check_first_start(waiting)
            waiting = [child for child in waiting if not self._is_ready(child)]
            if time.monotonic() > deadline:
                names = ", ".join(child.name for child in waiting)
                raise StartError(f"Not ready after {timeout_s:g} s: {names}. See the logs in {self._settings.log_dir}.")
            self._stop.wait(_LOOK_S)

    def run(self) -> int:
        """Restart what dies until SIGTERM or SIGINT; then stop all. The exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stop.wait(_LOOK_S):
            for child in self.children:
                self._revive(child)
        self.stop()
        return 0

    def stop(self) -> None:
        """End all processes: receiver first, so that the store takes in what was acknowledged."""
        self._stop.set()
        for child in sorted(self.children, key=lambda child: child.name != "receiver"):
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + _STOP_WITHIN_S
        for child in self.children:
            if child.process is not None:
                _wait_or_kill(child.process, deadline)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _check_ports(self) -> None:
        ports = [(child.port, f"{child.name}") for child in self.children] + [(self._settings.grpc_port, "grpc")]
        names = {"store": "QUERY_PORT", "receiver": "HTTP_PORT", "dashboard": "UI_PORT", "grpc": "GRPC_PORT"}
        for port, owner in ports:
            reason = _why_not_free(self._settings.host, port)
            if reason:
                raise SettingsError(
                    f"Port {port} ({PREFIX}{names[owner]}) on {self._settings.host} cannot be used: {reason}. "
                    f"Stop the program that has it, or set {PREFIX}{names[owner]} to a free port."
                )

    def _spawn(self, child: Child) -> None:
        path = self._settings.log_dir / f"{child.name}.log"
        if path.exists() and path.stat().st_size > _MOST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        environment = os.environ | self._settings.environment() | {"SPANDECK_SUPERVISED": "1"}
        with path.open("ab") as log:
            child.process = subprocess.Popen(
                [sys.executable, "-m", child.module],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                # Ctrl-C reaches this process alone, which then stops the others in order.
                start_new_session=True,
            )
        child.started_at = time.monotonic()

    def _check_first_start(self, children: Sequence[Child]) -> None:
        for child in children:
            code = child.process.poll() if child.process else None
            if code == _USED_WRONGLY:
                raise StartError(self._last_line(child))
            self._revive(child)

    def _revive(self, child: Child) -> None:
        if child.process is None or child.process.poll() is None:
            return
        now = time.monotonic()
        if child.restart_at < child.started_at:
            if now - child.started_at > _STEADY_S:
                child.backoff_s = _SHORTEST_BACKOFF_S
            child.restart_at = now + child.backoff_s
            child.backoff_s = min(child.backoff_s * 2, _LONGEST_BACKOFF_S)
            print(f"{child.name} ended with {child.process.returncode} and is started again.", file=sys.stderr)
        if now >= child.restart_at:
            _close_stdin(child.process)
            self._spawn(child)

    def _is_ready(self, child: Child) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.host, self._settings.host)
        connection = http.client.HTTPConnection(host, child.port, timeout=2)
        try:
            connection.request("GET", child.ready_path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_line(self, child: Child) -> str:
        text = (self._settings.log_dir / f"{child.name}.log").read_text(encoding="utf-8", errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else f"{child.name} ended without a word."


def _why_not_free(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return None


def _wait_or_kill(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _close_stdin(process)


def _close_stdin(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
