"""A data folder and free ports for the processes of Spandeck, and how to send and ask there."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from spandeck_collector.query_client import StoreAwayError, ask_json
from spandeck_collector.setting_values import PREFIX
from spandeck_collector.settings import Settings

from . import web
from .waiting import DEADLINE_S

COMMAND = str(Path(sys.executable).with_name("spandeck"))
PORTS = ("HTTP_PORT", "GRPC_PORT", "QUERY_PORT", "UI_PORT")


def free_ports() -> dict[str, str]:
    """Four ports of 127.0.0.1 that nobody has just now, by setting."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in PORTS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {PREFIX + name: str(each.getsockname()[1]) for name, each in zip(PORTS, sockets, strict=True)}


def clean_environment(**settings: object) -> dict[str, str]:
    """This process's environment; of Spandeck's settings only these: `data_dir` is SPANDECK_DATA_DIR."""
    known = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    return known | {PREFIX + name.upper(): str(value) for name, value in settings.items()}


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
        timeout=DEADLINE_S,
        check=False,
    )


class Site:
    """One data folder with four ports; `folder` is the working and, in `data`, the data folder."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        own = free_ports() | clean_environment(data_dir=folder / "data", **settings)
        self.settings = Settings.from_environment(own, folder)
        self.receiver_url = self.settings.url(self.settings.http_port)

    def environment(self) -> dict[str, str]:
        """The surroundings of a process of this site."""
        return clean_environment() | self.settings.environment()

    def launch(self, name: str, *command: str, stdin: int, **more: str) -> subprocess.Popen[bytes]:
        """Start a process; `more` is added to its environment. It says what it says into new files."""
        with (self.folder / f"{name}.out").open("wb") as out, (self.folder / f"{name}.err").open("wb") as err:
            return subprocess.Popen(
                command, env=self.environment() | more, cwd=self.folder, stdin=stdin, stdout=out, stderr=err
            )

    def stdout(self, name: str = "spandeck") -> str:
        """What the last process of this name wrote to stdout."""
        return (self.folder / f"{name}.out").read_text(encoding="utf-8")

    def stderr(self, name: str = "spandeck") -> str:
        """What the last process of this name wrote to stderr."""
        return (self.folder / f"{name}.err").read_text(encoding="utf-8")

    def run(self, *arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of `spandeck` with the settings of this site."""
        return spandeck(*arguments, settings=self.settings.environment(), cwd=self.folder, text=text)

    def post(self, body: bytes, content_type: str, path: str = "/v1/traces", **more: str) -> web.Answer:
        """Send an OTLP message to the receiver."""
        return web.post(self.settings.http_port, body, content_type, path, **more)

    def rows(self, sql: str, *params: Any) -> list[list[Any]]:
        """The rows of a query."""
        return self._ask(sql, params)[1]

    def records(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """The rows of a query, by column."""
        columns, rows = self._ask(sql, params)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def span_count(self) -> int:
        """How many spans can be asked for."""
        return int(self.rows("select count(*) from spans")[0][0])

    def _ask(self, sql: str, params: tuple[Any, ...]) -> tuple[list[str], list[list[Any]]]:
        """Ask the query service, again while the store is away."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                return ask_json(self.settings.url(self.settings.query_port), sql, params)
            except StoreAwayError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
