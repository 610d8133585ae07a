"""SQL made from `attributes.toml`: the SELECT that maps every dialect to canonical columns, and the word macros.

`python -m spandeck_schema.generated` prints the SELECT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from spandeck_schema.mapping import KindRule, Mapping, Source, load_mapping


def mapped_spans(mapping: Mapping) -> str:
    """A SELECT of `arrival`, `family`, `kind`, every canonical column, and where the tokens came from.

    `usage_source` is the attribute that told input_tokens, `excludes_cached` whether that count leaves out cached
    tokens.
    """
    columns = [f"{_coalesce(_values(mapping, name))} as {name}" for name in mapping.types]
    told = [(_value(source, "count"), source) for source in mapping.sources["input_tokens"]]
    columns += [
        f"{_first(told, lambda source: _quoted(source.attribute or ''))} as usage_source",
        f"{_first(told, lambda source: str(source.excludes_cached).lower())} as excludes_cached",
    ]
    # Kinds are worked out once, below the columns whose sources depend on them.
    spans = f"(select *, {_kind(mapping)} as kind, {_family(mapping)} as family from incoming_spans)"
    return "select\n    arrival,\n    kind,\n    family,\n    " + ",\n    ".join(columns) + f"\nfrom {spans} as spans"


def word_macros(mapping: Mapping) -> tuple[str, ...]:
    """Statements that define the macros of words: finish reasons, providers, agent names, event names, trust."""
    scoped = (dialect for dialect in mapping.dialects if dialect.scopes)
    ranks = " ".join(f"when {_quoted(dialect.family)} then {dialect.rank}" for dialect in scoped)
    return (
        _macro("finish_reason(word)", _words("lower(word)", mapping.words["finish_reasons"], "lower(word)")),
        _macro("to_provider(value)", _provider(mapping)),
        _macro("provider_of_model(model)", _words("lower(model)", mapping.words["model_providers"], "null")),
        _macro("agent_of_span(span_name)", _agent_name(mapping)),
        _macro("is_first_token(event_name)", _any_like("event_name", mapping.first_token_events)),
        _macro("is_chunk(event_name)", _any_like("event_name", mapping.chunk_events)),
        _macro("trust_rank(family)", f"case family {ranks} else 9 end"),
    )


def _macro(head: str, body: str) -> str:
    return f"create or replace macro store.{head} as {body}"


def _words(value: str, words: dict[str, tuple[str, ...]], otherwise: str) -> str:
    cases = " ".join(
        f"when {_any_like(value, others)} then {_quoted(word) if word else 'null'}" for word, others in words.items()
    )
    return f"case {cases} else {otherwise} end"


def _provider(mapping: Mapping) -> str:
    value = "nullif(lower(trim(value)), '')"
    named = {"": mapping.framework_names} | mapping.words["providers"]
    # Most emitters write the canonical name: one look, and no pattern is tried.
    canonical = _any_like(value, (*mapping.words["model_providers"], *mapping.words["providers"]))
    return f"case when {canonical} then {value} else {_words(value, named, value)} end"


def _agent_name(mapping: Mapping) -> str:
    name = "span_name"
    for pattern in mapping.agent_name_patterns:
        name = f"regexp_replace({name}, {_quoted(pattern)}, '')"
    return f"nullif(trim({name}), '')"


def _values(mapping: Mapping, column: str) -> Iterator[str]:
    return (_value(source, mapping.types[column]) for source in mapping.sources[column])


def _first(told: Iterable[tuple[str, Source]], describe: Callable[[Source], str]) -> str:
    return "case " + " ".join(f"when {value} is not null then {describe(source)}" for value, source in told) + " end"


def _converted(source: Source, converter: str) -> str:
    if source.equals is not None:
        return f"case when lower(trim({_raw(source)})) = {_quoted(source.equals.lower())} then true end"
    if source.since_start:
        moment = f"epoch_us(cast(try_cast(store.json_scalar({_raw(source)}) as timestamptz) as timestamp))"
        return f"case when started_ns > 0 then ({moment} - cast(started_ns // 1000 as bigint)) / 1000.0 end"
    value = f"store.to_{converter}({_text(source)})"
    if source.scale is not None:
        value = f"{value} * {source.scale!r}"
    if source.plus is not None:
        value = f"{value} + {source.plus!r}"
    return value


def _text(source: Source) -> str:
    raw = _raw(source)
    if after := source.span_name or source.after:
        return f"case when starts_with({raw}, {_quoted(after)}) then {raw}[{len(after) + 1}:] end"
    if source.json == "$":
        return f"store.json_scalar({raw})"
    if source.json is not None:
        return f"json_extract_string(store.json_of({raw}), {_quoted(source.json)})"
    if source.json_sum:
        return f"store.json_sum({raw}, [{', '.join(map(_quoted, source.json_sum))}])"
    return raw


def _value(source: Source, converter: str) -> str:
    value = _converted(source, converter)
    # Most attributes are absent from most spans: this look saves all that a CASE would try on NULL.
    conditions = [f"{_raw(source)} is not null"]
    conditions += [_any_like("scope", source.scopes)] if source.scopes else []
    conditions += [f"kind in ({', '.join(map(_quoted, source.kinds))})"] if source.kinds else []
    return f"case when {' and '.join(conditions)} then {value} end"


def _kind(mapping: Mapping) -> str:
    return _coalesce(_kind_case(rule) for rule in mapping.kinds)


def _kind_case(rule: KindRule) -> str:
    raw = "name" if rule.span_name else _column(rule.attribute or "")
    value = f"lower(trim({f'store.json_scalar({raw})' if rule.json else raw}))"
    plain: dict[str, list[str]] = {}
    for word, kind in rule.values.items():
        plain.setdefault(kind if "*" not in word else word, []).append(word)
    words = ((rule.values[group[0]], group) for group in sorted(plain.values(), key=lambda group: "*" in group[0]))
    chosen = (
        "case " + " ".join(f"when {_any_like(value, group)} then {_quoted(kind)}" for kind, group in words) + " end"
    )
    scoped = f" and {_any_like('scope', rule.scopes)}" if rule.scopes else ""
    return f"case when {raw} is not null{scoped} then {chosen} end"


def _family(mapping: Mapping) -> str:
    cases = " ".join(
        f"when {_any_like('scope', dialect.scopes)} then {_quoted(dialect.family)}"
        for dialect in mapping.dialects
        if dialect.scopes
    )
    return f"case {cases} else 'other' end"


def _any_like(value: str, patterns: Iterable[str]) -> str:
    """Whether `value` is one of the patterns; those with an asterisk are globs."""
    patterns = tuple(patterns)
    plain = [_quoted(pattern) for pattern in patterns if "*" not in pattern]
    tests = [f"{value} in ({', '.join(plain)})"] if plain else []
    tests += [f"{value} glob {_quoted(pattern)}" for pattern in patterns if "*" in pattern]
    return "(" + " or ".join(tests) + ")"


def _raw(source: Source) -> str:
    return "name" if source.slot is None else _column(source.slot)


def _coalesce(values: Iterable[str]) -> str:
    return f"coalesce({', '.join(['null', *values])})"


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    print(mapped_spans(load_mapping()))
