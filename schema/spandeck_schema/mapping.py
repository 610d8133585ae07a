"""Turns `attributes.toml` into the SELECT that maps every dialect's attributes to canonical columns.

`python -m spandeck_schema.mapping` prints it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

RESOURCE_PREFIX = "resource."
"""What the columns of resource attributes begin with in `incoming_spans`."""


@dataclass(frozen=True)
class Source:
    """Where a value may stand: `attribute` of the span (or of its resource), in scopes like `scopes`.

    A number is multiplied by `scale`, then `plus` is added.
    """

    attribute: str
    in_resource: bool
    scale: float | None
    plus: int | None
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Mapping:
    """The parsed `attributes.toml`.

    `types` names the converter of each column, `sources` its places in priority order, `families` the scope patterns
    by dialect, `kinds` pairs of attribute and value-to-kind, `finish_reasons` the synonyms of each reason,
    `first_token_events` the names of span events that mark the first token.
    """

    types: dict[str, str]
    sources: dict[str, tuple[Source, ...]]
    families: dict[str, tuple[str, ...]]
    kinds: tuple[tuple[str, dict[str, str]], ...]
    finish_reasons: dict[str, tuple[str, ...]]
    first_token_events: tuple[str, ...]


def load_mapping(text: str | None = None) -> Mapping:
    """Parse `text`, or the packaged `attributes.toml`. Raises `ValueError` for a column that is not declared."""
    data = tomllib.loads(text or files(__package__).joinpath("attributes.toml").read_text(encoding="utf-8"))
    types: dict[str, str] = data["columns"]
    sources: dict[str, list[Source]] = {column: [] for column in types}
    for dialect in data["dialects"]:
        for column, entries in dialect.get("sources", {}).items():
            if column not in sources:
                raise ValueError(f"Dialect {dialect['family']!r} maps {column!r}, which [columns] does not declare.")
            sources[column] += [_source(entry, dialect) for entry in entries]
    return Mapping(
        types,
        {column: tuple(entries) for column, entries in sources.items()},
        {dialect["family"]: tuple(dialect.get("scopes", ())) for dialect in data["dialects"]},
        tuple((kind["attribute"], kind["values"]) for kind in data["kinds"]),
        {reason: tuple(words) for reason, words in data["finish_reasons"].items()},
        tuple(data["first_token"]["events"]),
    )


def attribute_slots(mapping: Mapping) -> tuple[str, ...]:
    """Span attributes that the mapping reads, each a column of `incoming_spans` under its own name."""
    mapped = (s.attribute for sources in mapping.sources.values() for s in sources if not s.in_resource)
    return tuple(dict.fromkeys((*mapped, *(attribute for attribute, _ in mapping.kinds))))


def resource_slots(mapping: Mapping) -> tuple[str, ...]:
    """Resource attributes that the mapping reads, columns of `incoming_spans` named `resource.NAME`."""
    return tuple(dict.fromkeys(s.attribute for sources in mapping.sources.values() for s in sources if s.in_resource))


def mapped_spans(mapping: Mapping) -> str:
    """A SELECT of `arrival` and every canonical column, `kind` and `family` from `incoming_spans`."""
    columns = [f"{_coalesce(_values(mapping, name))} as {name}" for name in mapping.types]
    columns += [f"{_coalesce(_kinds(mapping))} as kind", f"{_family(mapping)} as family"]
    return "select\n    arrival,\n    " + ",\n    ".join(columns) + "\nfrom incoming_spans"


def finish_reason_macro(mapping: Mapping) -> str:
    """The statement that defines `store.finish_reason(word)`: a provider's word as the conventions have it."""
    pairs = ((word, reason) for reason, words in mapping.finish_reasons.items() for word in words)
    cases = " ".join(f"when {_quoted(word)} then {_quoted(reason)}" for word, reason in pairs)
    return f"create or replace macro store.finish_reason(word) as case lower(word) {cases} else lower(word) end"


def first_token_macro(mapping: Mapping) -> str:
    """The statement that defines `store.is_first_token(event_name)`."""
    names = ", ".join(_quoted(name) for name in mapping.first_token_events)
    return f"create or replace macro store.is_first_token(event_name) as event_name in ({names})"


def _source(entry: str | dict[str, Any], dialect: dict[str, Any]) -> Source:
    fields: dict[str, Any] = {"attribute": entry} if isinstance(entry, str) else entry
    # A dialect's own names are read in every scope: frameworks often copy another dialect's attributes.
    scopes = tuple(fields.get("scopes", ()))
    in_resource = "resource" in fields
    if not in_resource and "attribute" not in fields:
        raise ValueError(f"Dialect {dialect['family']!r}: {entry!r} names neither an attribute nor a resource.")
    name = fields["resource" if in_resource else "attribute"]
    return Source(name, in_resource, fields.get("scale"), fields.get("plus"), scopes)


def _values(mapping: Mapping, column: str) -> Iterator[str]:
    for source in mapping.sources[column]:
        slot = RESOURCE_PREFIX + source.attribute if source.in_resource else source.attribute
        value = f"store.to_{mapping.types[column]}({_column(slot)})"
        if source.scale is not None:
            value = f"{value} * {source.scale!r}"
        if source.plus is not None:
            value = f"{value} + {source.plus!r}"
        if source.scopes:
            value = f"case when {_in_scopes(source.scopes)} then {value} end"
        yield value


def _kinds(mapping: Mapping) -> Iterator[str]:
    for attribute, values in mapping.kinds:
        cases = " ".join(f"when {_quoted(value)} then {_quoted(kind)}" for value, kind in values.items())
        yield f"case lower(trim({_column(attribute)})) {cases} end"


def _family(mapping: Mapping) -> str:
    scoped = {family: scopes for family, scopes in mapping.families.items() if scopes}
    cases = " ".join(f"when {_in_scopes(scopes)} then {_quoted(family)}" for family, scopes in scoped.items())
    return f"case {cases} else 'other' end"


def _in_scopes(scopes: tuple[str, ...]) -> str:
    return "(" + " or ".join(f"scope glob {_quoted(pattern)}" for pattern in scopes) + ")"


def _coalesce(values: Iterator[str]) -> str:
    return f"coalesce({', '.join(['null', *values])})"


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    print(mapped_spans(load_mapping()))
