"""The files that a user writes: prices.toml and budgets.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spandeck_collector.settings import Settings


@dataclass(frozen=True)
class OwnFiles:
    """Where they are, and the zone (as `Europe/Berlin`) whose days budgets have."""

    prices: Path
    budgets: Path
    time_zone: str = "UTC"

    @classmethod
    def of(cls, settings: Settings) -> OwnFiles:
        """Where the settings say, by default in the data folder."""
        prices, budgets = (
            Path(given).expanduser().absolute() if given else settings.data_dir / name
            for given, name in ((settings.prices_file, "prices.toml"), (settings.budgets_file, "budgets.toml"))
        )
        return cls(prices, budgets, settings.time_zone)


def read_own(path: Path) -> str:
    """The text of such a file; empty where there is none. Raises `OSError`, `UnicodeDecodeError`."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def write_own(path: Path, text: str) -> None:
    """Put a text in the place of the file, whole or not at all. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
