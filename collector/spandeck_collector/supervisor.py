"""Starts receiver, store and dashboard as processes, restarts what dies, and takes them down together."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType
from urllib.parse import urlsplit

from spandeck_collector.data_folder import DataFolder
from spandeck_collector.own_tls import own_tls
from spandeck_collector.plain_text import tell
from spandeck_collector.receiver.listeners import ListenError, bind
from spandeck_collector.settings import PREFIX, Settings, SettingsError

_USED_WRONGLY = 2
_LOOK_S = 0.1
# Together below ten seconds, which is what service managers and container runtimes wait before they kill.
_STOP_WITHIN_S = 6.0
_STORE_STOPS_WITHIN_S = 3.0
_SHORTEST_BACKOFF_S = 0.2
_LONGEST_BACKOFF_S = 5.0
_STEADY_S = 30.0
_ENDS_WHILE_STARTING = 4
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
    ended_at: float | None = None
    end_count: int = 0
    backoff_s: float = _SHORTEST_BACKOFF_S
    log_start: int = 0


class Supervisor:
    """The processes of one `spandeck up`."""

    def __init__(self, settings: Settings, *, with_dashboard: bool = True) -> None:
        self._settings = settings
        self._folder = DataFolder(settings.data_dir)
        self._stopping = threading.Event()
        self._ports = ["http_port", "grpc_port", "query_port"] + ["ui_port"] * with_dashboard
        self.children = [
            Child("store", "spandeck_collector.store", settings.query_port, "/readyz"),
            Child("receiver", "spandeck_collector.receiver", settings.http_port, "/readyz"),
        ]
        if with_dashboard:
            self.children.append(Child("dashboard", "spandeck_dashboard", settings.ui_port, "/_stcore/health"))

    def stop_on_signals(self) -> None:
        """From now on the first SIGTERM, SIGINT or SIGHUP raises `KeyboardInterrupt` in the main thread.

        An ignored SIGHUP stays ignored: `nohup spandeck up` outlives its terminal.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._on_signal)

    def claim(self) -> None:
        """Make sure that data folder and ports are ours. Raises `SettingsError` with what is taken, and by what."""
        self._folder.claim()
        for name in self._ports:
            self._probe(name)

    def start(self, timeout_s: float = 60.0) -> None:
        """Start all processes and return when all are ready.

        Raises `SettingsError` for a folder or port that is taken and `StartError` for a process that gives up.
        """
        self.claim()
        self._settings.log_dir.mkdir(exist_ok=True, mode=0o700)
        for child in self.children:
            self._spawn(child)
        deadline = time.monotonic() + timeout_s
        waiting = list(self.children)
        while waiting:
            self._check_first_start(waiting)
            waiting = [child for child in waiting if not self._is_ready(child)]
            # A large file of an older version takes as long as it takes.
            if time.monotonic() > deadline and not self._settings.database_copy.exists():
                names = ", ".join(child.name for child in waiting)
                raise StartError(f"Not ready after {timeout_s:g} s: {names}. See the logs in {self._settings.log_dir}.")
            self._stopping.wait(_LOOK_S)

    def watch(self) -> None:
        """Restart what dies, until a signal comes."""
        while not self._stopping.wait(_LOOK_S):
            for child in self.children:
                self._revive(child)

    def stop(self) -> None:
        """End all processes, the store last, so that it can take in what was acknowledged."""
        self._stopping.set()
        _end([child for child in self.children if child.name != "store"], _STOP_WITHIN_S)
        _end([child for child in self.children if child.name == "store"], _STORE_STOPS_WITHIN_S)
        self._folder.release()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            raise KeyboardInterrupt

    def _probe(self, name: str) -> None:
        port, setting = getattr(self._settings, name), PREFIX + name.upper()
        if port == 0:
            raise SettingsError(f"{setting} is 0: `spandeck up` needs a port from 1 to 65535.")
        try:
            listeners = bind(self._settings.host, port, setting)
        except ListenError as error:
            raise SettingsError(str(error)) from error
        listeners.close()
        if listeners.warning and name in ("http_port", "grpc_port"):
            tell(listeners.warning)

    def _spawn(self, child: Child) -> None:
        path = self._settings.log_dir / f"{child.name}.log"
        if path.exists() and path.stat().st_size > _MOST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        environment = os.environ | self._settings.environment() | {"SPANDECK_SUPERVISED": "1"}
        if child.process is not None:
            environment[f"{PREFIX}{child.name.upper()}_ENDED_WITH"] = str(child.process.returncode)
        with path.open("ab") as log:
            child.log_start = log.tell()
            child.process = subprocess.Popen(
                [sys.executable, "-m", child.module],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                # Ctrl-C reaches this process alone, which then stops the others in order.
                start_new_session=True,
                # Held by all, the lock outlives a killed supervisor until the last of them has ended.
                pass_fds=() if self._folder.descriptor is None else (self._folder.descriptor,),
            )
        child.started_at = time.monotonic()
        child.ended_at = None

    def _check_first_start(self, children: Iterable[Child]) -> None:
        for child in children:
            code = child.process.poll() if child.process else None
            if code == _USED_WRONGLY:
                raise StartError(self._last_line(child))
            if child.end_count >= _ENDS_WHILE_STARTING:
                raise StartError(
                    f"The {child.name} ended {child.end_count} times while starting: {self._last_line(child)} "
                    f"(all of it is in {self._settings.log_dir})."
                )
            self._revive(child)

    def _revive(self, child: Child) -> None:
        if child.process is None or child.process.poll() is None:
            return
        now = time.monotonic()
        if child.ended_at is None:
            child.ended_at = now
            child.end_count += 1
            if now - child.started_at > _STEADY_S:
                child.backoff_s = _SHORTEST_BACKOFF_S
            tell(f"The {child.name} {self._how_it_ended(child)} and is started again.")
        if now - child.ended_at >= child.backoff_s:
            child.backoff_s = min(child.backoff_s * 2, _LONGEST_BACKOFF_S)
            _close_stdin(child.process)
            self._spawn(child)

    def _how_it_ended(self, child: Child) -> str:
        code = child.process.returncode if child.process else 0
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with {code}" + (f" ({self._last_line(child)})" if code == _USED_WRONGLY else "")

    def _is_ready(self, child: Child) -> bool:
        address = urlsplit(self._settings.url(child.port))
        where = (address.hostname or "", address.port)
        try:
            tls = own_tls(self._settings) if address.scheme == "https" else None
        except OSError:  # the receiver says so itself
            return False
        connection = (
            http.client.HTTPSConnection(*where, timeout=2, context=tls)
            if tls
            else http.client.HTTPConnection(*where, timeout=2)
        )
        try:
            connection.request("GET", child.ready_path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_line(self, child: Child) -> str:
        with (self._settings.log_dir / f"{child.name}.log").open("rb") as log:
            log.seek(child.log_start)
            text = log.read(_MOST_LOG_BYTES).decode(errors="replace")
        return last_sentence(text) or "it ended without a word."


def last_sentence(log: str) -> str | None:
    """The last line that is not blank, but of a traceback at the end the line that names the error; None: no line."""
    lines = [line for line in log.splitlines() if line.strip()]
    traces = [index for index, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    behind = lines[traces[-1] + 1 :] if traces else []
    return next((line for line in behind if not line.startswith(" ")), lines[-1] if lines else None)


def _end(children: list[Child], within_s: float) -> None:
    """Ask all of them to end, then wait; who is late is killed, which loses nothing that was acknowledged."""
    processes = [child.process for child in children if child.process is not None]
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + within_s
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _close_stdin(process)


def _close_stdin(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
