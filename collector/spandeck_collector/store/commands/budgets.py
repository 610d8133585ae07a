"""`POST /command/import_budgets`.

Takes `{"text": "..." or null}`: a budgets.toml that is put in the place of the store's own, or null to read that file
again; answers `{"budget_count"}`.
"""

from __future__ import annotations

from typing import Any

from spandeck_collector.store.budget_file import BudgetFileError, parse_budgets
from spandeck_collector.store.commands.command import Action, CommandError, Parameters, refuse_unknown
from spandeck_collector.store.commands.own_text import given_text, take_own
from spandeck_collector.store.ingest import Ingest


def import_budgets(parameters: Parameters) -> Action:
    """Read the text. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "text")
    text = given_text(parameters, "budgets.toml", _check)
    return lambda ingest: _import(ingest, text)


def _import(ingest: Ingest, text: str | None) -> dict[str, Any]:
    budgets = parse_budgets(take_own(ingest, "budgets", text, _check))
    ingest.use_budgets(budgets, ingest.own_files.time_zone if ingest.own_files else "UTC")
    return {"budget_count": len(budgets)}


def _check(text: str) -> None:
    try:
        parse_budgets(text)
    except BudgetFileError as error:
        raise CommandError(400, str(error)) from error
