"""What a command is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spandeck_collector.store.ingest import Ingest

Parameters = dict[str, Any]
"""The JSON object that was sent."""

Action = Callable[[Ingest], dict[str, Any]]
"""Does the command in the transaction that is open, and returns the JSON object of its answer.

Raises `CommandError` when what the store holds does not allow it.
"""

Command = Callable[[Parameters], Action]
"""Reads parameters, on another thread than the writing one. Raises `CommandError` (400) for bad ones."""


class CommandError(Exception):
    """A command that is not done: `status` is the HTTP status, the text one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def refuse_unknown(parameters: Parameters, *known: str) -> None:
    """Raise `CommandError` (400) for a parameter that the command does not have."""
    for name in parameters.keys() - set(known):
        raise CommandError(400, f"The parameter {name[:64]!r} is unknown: known are {', '.join(known)}.")
