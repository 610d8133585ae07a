"""`attributes.toml` as objects: which attribute of which emitter means which canonical column."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

RESOURCE_PREFIX = "resource."
"""What the columns of resource attributes begin with in `incoming_spans`."""


NO_VALUES = ("", "None", "null")
"""Texts that tell nothing: what an emitter wrote that had no value."""


@dataclass(frozen=True)
class Source:
    """Where a value may stand: in `attribute` of the span, in `resource`, or in the span's name.

    Exactly one of `attribute`, `resource` and `span_name` is set; the other fields say when and how it is read, each
    as `attributes.toml` explains it.
    """

    attribute: str | None = None
    resource: str | None = None
    span_name: str | None = None
    scopes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    scale: float | None = None
    plus: int | None = None
    json: str | None = None
    json_sum: tuple[str, ...] = ()
    equals: str | None = None
    unless: tuple[str, ...] = ()
    after: str | None = None
    since_start: bool = False
    excludes_cached: bool = False

    @property
    def slot(self) -> str | None:
        """The column of `incoming_spans` that holds the raw value; None when it is the span's name."""
        return self.attribute if self.resource is None else RESOURCE_PREFIX + self.resource


@dataclass(frozen=True)
class KindRule:
    """Values of one attribute (or of the span's name) by kind; a value with an asterisk is a glob."""

    values: dict[str, str]
    attribute: str | None = None
    span_name: bool = False
    json: bool = False
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dialect:
    """One family of emitters: its scopes, and its rank when two of them tell one call (1 is trusted first)."""

    family: str
    scopes: tuple[str, ...]
    rank: int


@dataclass(frozen=True)
class Mapping:
    """The parsed `attributes.toml`.

    `types` names the converter of each column, `sources` its places in priority order. `words` holds the synonym
    tables by name (finish_reasons, service_tiers, providers, model_providers): a canonical word, and the words or
    globs it replaces; and handoff_tools: a tool, and its arguments that may name an agent. `provider_suffix` and
    `agent_name_patterns` are regular expressions of what is taken off such a name. `parts` are sets of slots that
    mostly come without others.
    """

    types: dict[str, str]
    sources: dict[str, tuple[Source, ...]]
    dialects: tuple[Dialect, ...]
    kinds: tuple[KindRule, ...]
    words: dict[str, dict[str, tuple[str, ...]]]
    provider_suffix: str
    framework_names: tuple[str, ...]
    agent_name_patterns: tuple[str, ...]
    first_token_events: tuple[str, ...]
    chunk_events: tuple[str, ...]
    parts: tuple[frozenset[str], ...]

    def of_slots(self, present: Collection[str]) -> Mapping:
        """The part of the mapping that can tell something of spans that have values in no other slots."""
        return replace(
            self,
            sources={
                column: tuple(source for source in sources if source.slot is None or source.slot in present)
                for column, sources in self.sources.items()
            },
            kinds=tuple(rule for rule in self.kinds if rule.span_name or rule.attribute in present),
        )


_LAST_RANK = 9
_WORDS = ("finish_reasons", "service_tiers", "providers", "model_providers", "handoff_tools")


@cache
def load_mapping() -> Mapping:
    """The packaged `attributes.toml`."""
    return parse_mapping(files(__package__).joinpath("attributes.toml").read_text(encoding="utf-8"))


def parse_mapping(text: str) -> Mapping:
    """Parse `text`. Raises `ValueError`, with dialect and key, for what cannot be read as a mapping."""
    data = tomllib.loads(text)
    sources, kinds = _sources(data), tuple(_kind_rule(rule) for rule in data["kinds"])
    return Mapping(
        types=data["columns"],
        sources=sources,
        dialects=tuple(
            Dialect(each["family"], tuple(each.get("scopes", ())), each.get("rank", _LAST_RANK))
            for each in data["dialects"]
        ),
        kinds=kinds,
        words={name: {word: tuple(others) for word, others in data[name].items()} for name in _WORDS},
        provider_suffix=data["provider_names"]["without"],
        framework_names=tuple(data["framework_names"]["not_a_provider"]),
        agent_name_patterns=tuple(data["agent_names"]["without"]),
        first_token_events=tuple(data["first_token"]["events"]),
        chunk_events=tuple(data["first_token"]["chunks"]),
        parts=tuple(_part(data, families, kinds) for families in data.get("parts", ())),
    )


def attribute_slots(mapping: Mapping) -> tuple[str, ...]:
    """Span attributes that the mapping reads, each a column of `incoming_spans` under its own name."""
    mapped = (source.attribute for sources in mapping.sources.values() for source in sources)
    names = (*mapped, *(rule.attribute for rule in mapping.kinds))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def resource_slots(mapping: Mapping) -> tuple[str, ...]:
    """Resource attributes that the mapping reads, columns of `incoming_spans` named `resource.NAME`."""
    names = (source.resource for sources in mapping.sources.values() for source in sources)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _sources(data: dict[str, Any]) -> dict[str, tuple[Source, ...]]:
    sources: dict[str, list[Source]] = {column: [] for column in data["columns"]}
    for dialect in data["dialects"]:
        for column, entries in dialect.get("sources", {}).items():
            if column not in sources:
                raise ValueError(f"Dialect {dialect['family']!r} maps {column!r}, which [columns] does not declare.")
            sources[column] += [_source(entry, dialect["family"]) for entry in entries]
    return {column: tuple(entries) for column, entries in sources.items()}


def _part(data: dict[str, Any], families: list[str], kinds: Iterable[KindRule]) -> frozenset[str]:
    """The slots that these families fill, and those of the kinds, which all dialects share."""
    blocks = (dialect.get("sources", {}) for dialect in data["dialects"] if dialect["family"] in families)
    sources = (_source(entry, "") for block in blocks for entries in block.values() for entry in entries)
    slots = (*(source.slot for source in sources), *(rule.attribute for rule in kinds))
    return frozenset(slot for slot in slots if slot is not None)


_PLACES = ("attribute", "resource", "span_name")
_VALUE_TYPES: dict[str, type] = {
    "attribute": str,
    "resource": str,
    "span_name": str,
    "scopes": list,
    "kinds": list,
    "scale": float,
    "plus": int,
    "json": str,
    "json_sum": list,
    "equals": str,
    "unless": list,
    "after": str,
    "since_start": bool,
    "excludes_cached": bool,
}


def _source(entry: str | dict[str, Any], family: str) -> Source:
    if isinstance(entry, str):
        return Source(attribute=entry)
    for key, value in entry.items():
        if key not in _VALUE_TYPES:
            raise ValueError(f"Dialect {family!r}: {entry!r} has the unknown key {key!r}.")
        if not isinstance(value, _VALUE_TYPES[key]):
            raise ValueError(f"Dialect {family!r}: {key!r} of {entry!r} must be a {_VALUE_TYPES[key].__name__}.")
    if sum(place in entry for place in _PLACES) != 1:
        raise ValueError(f"Dialect {family!r}: {entry!r} must name one of {', '.join(_PLACES)}.")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Source(**values)


def _kind_rule(rule: dict[str, Any]) -> KindRule:
    return KindRule(
        values={value.lower(): kind for value, kind in rule["values"].items()},
        attribute=rule.get("attribute"),
        span_name=rule.get("span_name", False),
        json=rule.get("json", False),
        scopes=tuple(rule.get("scopes", ())),
    )
