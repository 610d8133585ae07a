"""The user's rules: `.sql` files of a folder, read again when one is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from spandeck_collector.alerts.rule import MOST_QUERY_BYTES, AlertRule, RuleError, parse_rule, shipped_rules

_MOST_FILES = 200


@dataclass(frozen=True)
class BrokenRule:
    """A rule that cannot be used: why, and the line of its file where one is to blame."""

    name: str
    source: str
    reason: str
    line: int | None


@dataclass(frozen=True)
class RuleSet:
    """All rules by name: a user's rule takes the place of the shipped one of the same name."""

    rules: dict[str, AlertRule] = field(default_factory=dict)
    broken: dict[str, BrokenRule] = field(default_factory=dict)


class RuleFolder:
    """`read` gives the rules, `has_changed` says whether to read again."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._seen: tuple[tuple[str, int, int], ...] | None = None

    def has_changed(self) -> bool:
        """Whether a file came, went or was saved since the last `read`; True before the first."""
        return self._signature() != self._seen

    def read(self) -> RuleSet:
        """The shipped rules, and those of the folder in place of or beside them."""
        self._seen = self._signature()
        found = RuleSet({rule.name: rule for rule in shipped_rules()})
        for path in self._files()[:_MOST_FILES]:
            name = path.stem
            found.rules.pop(name, None)
            try:
                found.rules[name] = parse_rule(name, _text(path), source=path.name)
            except RuleError as error:
                found.broken[name] = BrokenRule(name, path.name, str(error), error.line)
        return found

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == ".sql") if self._folder else []
        except OSError:
            return []

    def _signature(self) -> tuple[tuple[str, int, int], ...]:
        signature = []
        for path in self._files():
            try:
                state = path.stat()
            except OSError:
                continue
            signature.append((path.name, state.st_mtime_ns, state.st_size))
        return tuple(signature)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_QUERY_BYTES + 1).decode()
    except OSError as error:
        raise RuleError(f"Alert rule {path.stem} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RuleError(f"Alert rule {path.stem} is not UTF-8 text: {error.reason}.") from error
