"""Sources of `attributes.toml` as spans that hold them, and what the mapping reads of such spans."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from spandeck_collector.journal import Signal
from spandeck_collector.store.database import open_database
from spandeck_collector.store.decode import decode
from spandeck_collector.store.pipeline import Pipeline, planning
from spandeck_schema.mapping import KindRule, Mapping, Source

from . import otlp

KIND_NAME = "openinference.span.kind"
"""An attribute that is no source, to give a span its kind."""


class Mapper:
    """The mapping of a real database, planned once."""

    def __init__(self, folder: Path) -> None:
        self.connection = open_database(folder / "spandeck.duckdb", "500MB")
        self._pipeline = Pipeline(self.connection)
        with planning(self.connection):
            self.connection.execute("prepare mapped as from mapped_spans order by arrival")

    def __call__(self, spans: Sequence[otlp.Words]) -> list[dict[str, Any]]:
        """What the mapping reads of these spans, in their order: one request, decoded as the store does."""
        numbered = ({**words, "id": number} for number, words in enumerate(spans, start=1))
        ((batch, _),) = decode(otlp.records([(Signal.TRACES, otlp.traces(numbered))]))
        self._pipeline.take_in(batch)
        rows = self.rows("execute mapped")
        self._pipeline.empty()
        return rows

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The answer, a dictionary a row."""
        result = self.connection.execute(sql, params)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def holding(mapping: Mapping, column: str, indexes: Sequence[int]) -> dict[str, Any] | None:
    """A span with these sources of a column, each with a value of its own; None where they cannot stand together."""
    sources = [mapping.sources[column][index] for index in indexes]
    scope, kind = common_scope(sources), _common_kind(sources)
    if scope is None or kind is None:
        return None
    words: dict[str, Any] = {"scope": scope, "attributes": {KIND_NAME: kind.upper()}, "resource": {}}
    for index, source in zip(indexes, sources, strict=True):
        raw = _raw(source, sent(mapping, column, index))
        if source.span_name is not None:
            words["name"] = raw
            continue
        place = words["attributes" if source.resource is None else "resource"]
        name = source.attribute or source.resource
        if name in place and not (isinstance(place[name], dict) and isinstance(raw, dict)):
            return None
        place[name] = _merged(place[name], raw) if name in place else raw
    words["attributes"] = {
        name: json.dumps(raw) if isinstance(raw, dict) else raw for name, raw in words["attributes"].items()
    }
    return words


def sent(mapping: Mapping, column: str, index: int) -> Any:
    """A value of the column's type, another one for every source."""
    if mapping.sources[column][index].equals or mapping.sources[column][index].unless:
        return True
    return {
        "text": f"Text {index}",
        "name": f"Name {index}",
        "provider": f"Maker {index}",
        "lower": f"WORD {index}",
        "count": 10 + index,
        "number": 0.01 + index / 1000,
        "flag": index % 2 == 1,
        "list": [f"reason_{index}"],
    }[mapping.types[column]]


def read(mapping: Mapping, column: str, index: int) -> Any:
    """What the mapping makes of `sent`."""
    source, value = mapping.sources[column][index], sent(mapping, column, index)
    if mapping.types[column] in ("lower", "provider"):
        return value.lower()
    if isinstance(value, str | list | bool):
        return value
    if source.since_start:
        return value * 1000
    return value * (source.scale or 1) * (len(source.json_sum) or 1) + (source.plus or 0)


def like(pattern: str, star: str = "x") -> str:
    """A word that is like a glob."""
    return pattern.replace("*", star)


def common_scope(readers: Iterable[Source | KindRule]) -> str | None:
    """A scope in which all these sources or rules are read; None where there is none."""
    told = [reader.scopes for reader in readers if reader.scopes]
    every = {like(pattern) for scopes in told for pattern in scopes} or {""}
    return next((scope for scope in sorted(every) if all(_is_in(scope, scopes) for scopes in told)), None)


def _is_in(scope: str, patterns: Sequence[str]) -> bool:
    return any(scope.startswith(pattern[:-1]) if pattern[-1] == "*" else scope == pattern for pattern in patterns)


def _common_kind(sources: Sequence[Source]) -> str | None:
    told = [set(source.kinds) for source in sources if source.kinds]
    return min(set.intersection(*told), default=None) if told else "chain"


def _raw(source: Source, value: Any) -> Any:
    """The value as this source's emitters write it; a dictionary for JSON to be."""
    if source.equals is not None:
        return source.equals
    if source.unless:
        return f"not {source.unless[0]}"
    if source.since_start:
        return json.dumps((otlp.NOON + timedelta(seconds=value)).isoformat())
    if source.json_sum:
        return {like(pattern, "_x"): value for pattern in source.json_sum}
    if source.json is not None:
        return _at_path(source.json, value)
    return f"{source.span_name or source.after}{value}" if source.span_name or source.after else value


def _at_path(path: str, value: Any) -> Any:
    if path == "$":
        return json.dumps(value)
    for key in reversed(path.removeprefix("$.").split(".")):
        value = {key: value}
    return value


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = one | other
    for key in one.keys() & other.keys():
        both[key] = _merged(one[key], other[key]) if isinstance(one[key], dict) else one[key]
    return both
