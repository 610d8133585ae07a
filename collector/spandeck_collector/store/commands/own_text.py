"""A file of the user's, given with a command or read again from its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from spandeck_collector.store.commands.command import CommandError, Parameters
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.own_files import read_own, write_own


def given_text(parameters: Parameters, name: str, check: Callable[[str], None]) -> str | None:
    """The parameter `text`, checked. Raises `CommandError` (400)."""
    text = parameters.get("text")
    if text is not None and not isinstance(text, str):
        raise CommandError(400, f'"text" must be the text of a {name}, or null to read the file again.')
    if text is not None:
        check(text)
    return text


def take_own(
    ingest: Ingest, which: Literal["prices", "budgets"], text: str | None, check: Callable[[str], None]
) -> str:
    """Put the text into the file's place, or read that where it is None. Raises `CommandError`."""
    if ingest.own_files is None:
        raise CommandError(409, f"This store has no place for {which}: set SPANDECK_{which.upper()}_FILE.")
    path = getattr(ingest.own_files, which)
    try:
        told = read_own(path) if text is None else text
        check(told)
        if text is not None:
            write_own(path, text)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(409, f"{path} cannot be used: {error}.") from error
    return told
