"""The commands by name."""

from __future__ import annotations

from collections.abc import Mapping

from spandeck_collector.store.commands.alerts import acknowledge_alert, resend_alerts, snooze_alert
from spandeck_collector.store.commands.backup import backup
from spandeck_collector.store.commands.budgets import import_budgets
from spandeck_collector.store.commands.command import Action, Beside, Command, CommandError, Parameters
from spandeck_collector.store.commands.export import export
from spandeck_collector.store.commands.normalize import normalize
from spandeck_collector.store.commands.prices import apply_prices, import_prices
from spandeck_collector.store.commands.saved_queries import delete_query, save_query

COMMANDS: Mapping[str, Command] = {
    "acknowledge_alert": acknowledge_alert,
    "apply_prices": apply_prices,
    "backup": backup,
    "delete_query": delete_query,
    "export": export,
    "import_budgets": import_budgets,
    "import_prices": import_prices,
    "normalize": normalize,
    "resend_alerts": resend_alerts,
    "save_query": save_query,
    "snooze_alert": snooze_alert,
}


def read_command(name: str, parameters: Parameters) -> Action | Beside:
    """What the command is to do. Raises `CommandError`: 404 for an unknown name, 400 for bad parameters."""
    if name not in COMMANDS:
        raise CommandError(404, f"The command {name[:64]!r} is unknown: known are {', '.join(sorted(COMMANDS))}.")
    return COMMANDS[name](parameters)
