"""The processes of `spandeck up` in a folder of their own, on free ports."""

import http.client
import os
import socket
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from spandeck_collector.query_client import AskError, ask
from spandeck_collector.settings import Settings
from spandeck_collector.supervisor import Supervisor

DEADLINE_S = 60.0
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


class Stack:
    """Running processes, watched over as `spandeck up` does; `receiver_url` is where exporters are pointed."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self.settings = settings
        self.receiver_url = settings.url(settings.http_port)
        self._supervisor = supervisor

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """The process that now plays this part: store, receiver or dashboard."""
        (child,) = (child for child in self._supervisor.children if child.name == name)
        assert child.process
        return child.process

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """Ask the query service, again when the store is just being started."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                rows: list[dict[str, Any]] = ask(self.settings.url(self.settings.query_port), sql, params).to_pylist()
                return rows
            except AskError as error:
                if "does not answer" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def command(self, *arguments: str) -> str:
        """What `spandeck ARGUMENTS` prints to stdout; it must succeed."""
        program = Path(sysconfig.get_path("scripts")) / "spandeck"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SPANDECK_")}
        done = subprocess.run(
            [program, *arguments],
            env=environment | self.settings.environment(),
            cwd=self.settings.data_dir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def post(self, body: bytes, content_type: str, path: str = "/v1/traces", **more: str) -> tuple[int, str, bytes]:
        """One OTLP request: status, media type and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.http_port, timeout=DEADLINE_S)
        headers = {"Content-Type": content_type} | {name.replace("_", "-"): value for name, value in more.items()}
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers.get_content_type(), response.read()
        finally:
            connection.close()

    def is_ready(self, port: int) -> bool:
        """Whether the process behind a port says that it can work."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@contextmanager
def running(folder: Path, *, with_dashboard: bool = False, **settings: Any) -> Iterator[Stack]:
    """Start everything, restart what dies, and end it at the end of the block."""
    http_port, grpc_port, query_port, ui_port = free_ports(4)
    known = Settings(
        data_dir=folder, http_port=http_port, grpc_port=grpc_port, query_port=query_port, ui_port=ui_port, **settings
    )
    supervisor = Supervisor(known.validate(), with_dashboard=with_dashboard)
    watching = threading.Thread(target=supervisor.watch)
    try:
        supervisor.start()
        watching.start()
        yield Stack(known, supervisor)
    finally:
        supervisor.stop()
        if watching.is_alive():
            watching.join()


def free_ports(count: int) -> Sequence[int]:
    """Ports that nobody listens on just now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Poll until `holds` is true; fails with `what` at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"Waited {DEADLINE_S:g} s for {what}."
        time.sleep(0.05)
