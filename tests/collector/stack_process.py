"""`spandeck` as its users run it: the real command on free ports, with a data folder of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from spandeck_collector.query_client import AskError, ask_json

from .receiver_process import DEADLINE_S, PROTOBUF, request_bytes

COMMAND = str(Path(sys.executable).with_name("spandeck"))
PORTS = ("HTTP_PORT", "GRPC_PORT", "QUERY_PORT", "UI_PORT")


def free_ports() -> dict[str, str]:
    """Four ports of 127.0.0.1 that nobody has just now, by setting."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in PORTS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {f"SPANDECK_{name}": str(each.getsockname()[1]) for name, each in zip(PORTS, sockets, strict=True)}


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of Spandeck."""
    return {key: value for key, value in os.environ.items() if not key.startswith("SPANDECK_")}


def spandeck(
    *arguments: str | Path, settings: Mapping[str, str], cwd: Path, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=clean_environment() | dict(settings),
        cwd=cwd,
        input=text or "",
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE_S,
        check=False,
    )


class Stack:
    """`spandeck up` or `spandeck demo`, running; `folder` is the working and, in `data`, the data folder."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.folder = folder
        self.settings = (
            {"SPANDECK_DATA_DIR": str(folder / "data")}
            | free_ports()
            | {f"SPANDECK_{name.upper()}": value for name, value in settings.items()}
        )
        self.start(*arguments)

    def start(self, *arguments: str) -> None:
        """Start the command; it need not be ready when this returns."""
        self.log = self.folder / "stderr.txt"
        with self.log.open("wb") as stderr, (self.folder / "stdout.txt").open("wb") as stdout:
            self.process = subprocess.Popen(
                [COMMAND, *arguments],
                env=clean_environment() | self.settings,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    def until_ready(self) -> "Stack":
        """Wait for the word on stderr; fails when the command ends first."""
        eventually(lambda: "Ready after" in self.stderr() or self.process.poll() is not None)
        assert self.process.poll() is None, self.stderr()
        return self

    def stderr(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stdout(self) -> str:
        return (self.folder / "stdout.txt").read_text(encoding="utf-8")

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.settings[f'SPANDECK_{port}']}"

    def run(self, *arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run another command with the same settings."""
        return spandeck(*arguments, settings=self.settings, cwd=self.folder, text=text)

    def rows(self, sql: str, *params: Any) -> list[list[Any]]:
        return ask_json(self.url("QUERY_PORT"), sql, params)[1]

    def span_count(self) -> int | None:
        """How many spans can be asked for; None while nobody answers."""
        try:
            return int(self.rows("select count(*) from spans")[0][0])
        except AskError:
            return None

    def post(self, first: int, count: int = 1) -> int:
        """Send spans numbered from `first`; the HTTP status, 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self.settings["SPANDECK_HTTP_PORT"]), timeout=10)
        try:
            connection.request("POST", "/v1/traces", request_bytes(count, first), {"Content-Type": PROTOBUF})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def children(self) -> dict[str, int]:
        """Process ids of receiver, store and dashboard, by the last part of their module's name."""
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        lines = (line.split(None, 2) for line in listing.stdout.splitlines())
        return {
            args.split()[-1].rpartition(".")[2].removeprefix("spandeck_"): int(pid)
            for pid, parent, args in (line for line in lines if len(line) == 3)
            if int(parent) == self.process.pid and " -m spandeck_" in args
        }

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the supervisor alone and wait for its exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


def is_running(process_id: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.strip().startswith("Z")


def eventually(condition: Callable[[], bool], within_s: float = 2 * DEADLINE_S) -> None:
    """Wait until `condition` holds; fails after the deadline."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.05)


@contextmanager
def running_stack(folder: Path, *arguments: str, **settings: str) -> Iterator[Stack]:
    """A stack that is stopped at the end, however that comes."""
    stack = Stack(folder, *arguments, **settings)
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.stop()
