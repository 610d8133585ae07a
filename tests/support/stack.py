"""`spandeck` as its users run it: the real command on free ports, with a data folder of its own."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from .site import COMMAND, Site
from .waiting import DEADLINE_S, eventually


class Stack(Site):
    """`spandeck up` or `spandeck demo`, running."""

    def __init__(self, folder: Path, *arguments: str, **settings: object) -> None:
        super().__init__(folder, **settings)
        self.start(*arguments)

    def start(self, *arguments: str) -> None:
        """Start the command; it need not be ready when this returns."""
        self.process = self.launch("spandeck", COMMAND, *arguments, stdin=subprocess.DEVNULL)

    def until_ready(self) -> Self:
        """Wait for the word on stderr; fails when the command ends first."""
        eventually(lambda: "Ready after" in self.stderr() or self.process.poll() is not None, self.stderr)
        assert self.process.poll() is None, self.stderr()
        return self

    def children(self) -> dict[str, int]:
        """Process ids of receiver, store and dashboard, by the last part of their module's name."""
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        lines = (line.split(None, 2) for line in listing.stdout.splitlines())
        return {
            args.split()[-1].rpartition(".")[2].removeprefix("spandeck_"): int(pid)
            for pid, parent, args in (line for line in lines if len(line) == 3)
            if int(parent) == self.process.pid and " -m spandeck_" in args
        }

    def kill(self, name: str) -> int:
        """`kill -9` the process that now plays this part (receiver, store, dashboard); returns its id."""
        eventually(lambda: name in self.children(), f"the {name}")
        process_id = self.children()[name]
        os.kill(process_id, signal.SIGKILL)
        return process_id

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the supervisor alone and wait for its exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


@contextmanager
def running_stack(folder: Path, *arguments: str, **settings: object) -> Iterator[Stack]:
    """A stack that is stopped at the end, however that comes."""
    stack = Stack(folder, *arguments, **settings)
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.stop()


@contextmanager
def ready_stack(folder: Path, *arguments: str, **settings: object) -> Iterator[Stack]:
    """The same, once all its processes can work."""
    with running_stack(folder, *arguments, **settings) as stack:
        yield stack.until_ready()
