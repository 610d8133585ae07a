"""The SQL files of this package, read in the order in which they can be run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from spandeck_schema.generated import mapped_spans, word_macros
from spandeck_schema.mapping import load_mapping

FIRST_VERSION = 2
"""The oldest version of a file that `migrations` lead away from."""

_MACRO = re.compile(r"macro store\.(\w+)\(")
_NAME = re.compile(r"\b([a-z_][a-z0-9_]*)\b")
_MIGRATION = re.compile(r"(\d{3})_[a-z0-9_]+")


@dataclass(frozen=True)
class SqlFile:
    """One `.sql` file: `name` without suffix, its first-line `grain`, and the whole text."""

    name: str
    grain: str
    text: str


@dataclass(frozen=True)
class Migration:
    """Statements that bring the tables of the version before to `version`; they read tables only, no view or macro."""

    version: int
    text: str


@cache
def sql_files(folder: str) -> tuple[SqlFile, ...]:
    """All files of one folder (`tables`, `macros`, `views`, ...), by name."""
    entries = sorted((e for e in files(__package__).joinpath(folder).iterdir() if e.name.endswith(".sql")), key=str)
    return tuple(_read(entry.name, entry.read_text(encoding="utf-8")) for entry in entries)


@cache
def sql(folder: str, name: str) -> str:
    """The text of one file. Raises `KeyError` for an unknown name."""
    return {file.name: file.text for file in sql_files(folder)}[name]


@cache
def migrations() -> tuple[Migration, ...]:
    """The files `NNN_what.sql` in the order of their numbers; one may be missing. Raises `ValueError` for a name."""
    return tuple(_migration(file) for file in sql_files("migrations"))


@cache
def views() -> tuple[SqlFile, ...]:
    """The public views, each after those that it reads."""
    return tuple(file for file in _public() if file.name not in _range_names())


@cache
def ranges() -> tuple[SqlFile, ...]:
    """The public table macros `NAME(since, until)`: what a view tells, over a range of time."""
    return tuple(file for file in _public() if file.name in _range_names())


@cache
def public_macros() -> tuple[SqlFile, ...]:
    """The table functions that users may call, as `what_if('gpt-4o')`."""
    return sql_files("public_macros")


def _in_order(files_read: tuple[SqlFile, ...]) -> tuple[SqlFile, ...]:
    """Files, each after those that its statement names."""
    waiting = {file.name: file for file in files_read}
    reads = {name: (_words(file.text) & waiting.keys()) - {name} for name, file in waiting.items()}
    ordered: list[SqlFile] = []
    done: set[str] = set()
    while waiting:
        ready = [name for name in waiting if reads[name] <= done]
        if not ready:
            raise ValueError(f"SQL files name each other in a circle: {', '.join(waiting)}.")
        ordered += [waiting.pop(name) for name in ready]
        done.update(ready)
    return tuple(ordered)


def _words(text: str) -> set[str]:
    return {word for line in text.splitlines() if not line.lstrip().startswith("--") for word in _NAME.findall(line)}


@cache
def definitions() -> tuple[str, ...]:
    """Statements that define macros and views anew; they hold no data and may be run at any start."""
    present = f"create or replace macro store.present_mapping() as '{mapping_digest()}'"
    return (*_meanings(), present, *(file.text for file in (*_public(), *public_macros())))


@cache
def definitions_digest() -> str:
    """A hash over all definitions: equal digests mean that nothing has to be defined again."""
    return hashlib.sha256("\n".join(definitions()).encode()).hexdigest()[:16]


@cache
def mapping_digest() -> str:
    """A hash over all that makes canonical rows of a span; when it changes, stored spans may be normalized again."""
    steps = (file.text for folder in ("normalize", "settle") for file in sql_files(folder))
    lines = "\n".join((*_meanings(), mapped_spans(load_mapping()), *steps)).splitlines()
    words = [word for line in lines if not line.lstrip().startswith("--") for word in line.split()]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]


@cache
def _meanings() -> tuple[str, ...]:
    words = (SqlFile(_MACRO.findall(text)[0], "", text) for text in word_macros(load_mapping()))
    return tuple(file.text for file in _in_order((*words, *sql_files("macros"))))


def _range_names() -> set[str]:
    return {file.name for file in sql_files("ranges")}


@cache
def _public() -> tuple[SqlFile, ...]:
    """Views and ranges, each after those that it reads."""
    return _in_order(tuple(file for folder in ("views", "ranges") for file in sql_files(folder)))


def _migration(file: SqlFile) -> Migration:
    matched = _MIGRATION.fullmatch(file.name)
    if matched is None or int(matched[1]) <= FIRST_VERSION:
        raise ValueError(f"{file.name}.sql must be named NNN_what.sql, with a number above {FIRST_VERSION:03}.")
    return Migration(int(matched[1]), file.text)


def _read(name: str, text: str) -> SqlFile:
    first = text.partition("\n")[0]
    if not first.startswith("-- grain: "):
        raise ValueError(f"{name} must begin with '-- grain: ...', not with {first!r}.")
    return SqlFile(name.removesuffix(".sql"), first.removeprefix("-- grain: "), text)


SCHEMA_VERSION = max(FIRST_VERSION, *(migration.version for migration in migrations()))
"""What a file is that this package wrote: the highest number of a migration."""
