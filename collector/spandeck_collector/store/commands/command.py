"""What a command is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from spandeck_collector.store.ingest import Ingest

Parameters = dict[str, Any]
"""The JSON object that was sent."""

Action = Callable[[Ingest], dict[str, Any]]
"""Does the command in the transaction that is open, and returns the JSON object of its answer.

Raises `CommandError` when what the store holds does not allow it.
"""


@dataclass(frozen=True)
class Beside:
    """What may take long and changes nothing in the store: `run` has a connection of its own while spans are stored.

    It gets that and the data folder, and returns the JSON object of its answer. Raises `CommandError`.
    """

    run: Callable[[duckdb.DuckDBPyConnection, Path], dict[str, Any]]


Command = Callable[[Parameters], Action | Beside]
"""Reads parameters, on another thread than the writing one. Raises `CommandError` (400) for bad ones."""


class CommandError(Exception):
    """A command that is not done: `status` is the HTTP status, the text one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def text_parameter(parameters: Parameters, name: str, most_characters: int) -> str:
    """A text of at least one character. Raises `CommandError` (400)."""
    value = parameters.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= len(value) <= most_characters:
        raise CommandError(400, f"The parameter {name!r} must be a text of 1 to {most_characters:,} characters.")
    # JSON can spell halves of surrogate pairs, which no text of a database can hold.
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise CommandError(400, f"The parameter {name!r} has a character that no text can have.")
    return value


def refuse_unknown(parameters: Parameters, *known: str) -> None:
    """Raise `CommandError` (400) for a parameter that the command does not have."""
    for name in parameters.keys() - set(known):
        raise CommandError(400, f"The parameter {name[:64]!r} is unknown: known are {', '.join(known)}.")
