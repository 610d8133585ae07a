"""The commands by name."""

from __future__ import annotations

from collections.abc import Mapping

from spandeck_collector.store.commands.budgets import import_budgets
from spandeck_collector.store.commands.command import Action, Command, CommandError, Parameters
from spandeck_collector.store.commands.normalize import normalize
from spandeck_collector.store.commands.prices import apply_prices, import_prices

COMMANDS: Mapping[str, Command] = {
    "apply_prices": apply_prices,
    "import_budgets": import_budgets,
    "import_prices": import_prices,
    "normalize": normalize,
}


def read_command(name: str, parameters: Parameters) -> Action:
    """What the command is to do. Raises `CommandError`: 404 for an unknown name, 400 for bad parameters."""
    if name not in COMMANDS:
        raise CommandError(404, f"The command {name[:64]!r} is unknown: known are {', '.join(sorted(COMMANDS))}.")
    return COMMANDS[name](parameters)
