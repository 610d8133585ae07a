"""SQL made from `attributes.toml`: the SELECT that maps every dialect to canonical columns, and the word macros.

`python -m spandeck_schema.generated` prints the SELECT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from spandeck_schema.mapping import KindRule, Mapping, Source, load_mapping

_INCOMING = (
    "arrival",
    "trace_id",
    "span_id",
    "parent_span_id",
    "scope",
    "scope_version",
    "name",
    "otel_kind",
    "otel_status",
    "status_message",
    "started_ns",
    "ended_ns",
    "received_at",
    "from_log",
    "dropped_count",
)
_TYPES = {"count": "bigint", "number": "double", "flag": "boolean", "list": "varchar[]"}
"""What a converter makes of a text, where that is not a text."""


def mapped_spans(mapping: Mapping) -> str:
    """A SELECT of an incoming span's own columns, `kind`, `family`, every canonical column, and where tokens came from.

    `usage_source` is the attribute that told input_tokens, `excludes_cached` whether that count leaves out cached
    tokens. A part of a mapping has the same columns.
    """
    # Three selects, because a macro repeats its argument: it must be a column, not the search for it.
    parsed = [f"store.json_of({_column(name)}) as {_parsed(name)}" for name in _json_attributes(mapping)]
    shared = ["*", f"{_kind(mapping)} as kind", f"{_family(mapping)} as family", *parsed]
    runs = {name: _runs(mapping.sources[name]) for name in mapping.types}
    told = [f"{_coalesce(map(_told, run))} as {_run(name, n)}" for name in runs for n, run in enumerate(runs[name])]
    told += [f"{_of_input_tokens(mapping, lambda source: _quoted(source.attribute or ''))} as usage_source"]
    told += [f"{_of_input_tokens(mapping, lambda source: str(source.excludes_cached).lower())} as excludes_cached"]
    own = [*_INCOMING, "kind", "family"]
    columns = [f"{_value(name, mapping.types[name], runs[name])} as {name}" for name in runs]
    return (
        f"select\n    {_lines([*own, *columns, 'usage_source', 'excludes_cached'])}\n"
        f"from (select\n    {_lines([*own, *told])}\n"
        f"from (select\n    {_lines(shared)}\nfrom incoming_spans) as shared) as told"
    )


def word_macros(mapping: Mapping) -> tuple[str, ...]:
    """Statements that define the macros of words: finish reasons, price tiers, providers, agents, events, trust."""
    scoped = (dialect for dialect in mapping.dialects if dialect.scopes)
    ranks = " ".join(f"when {_quoted(dialect.family)} then {dialect.rank}" for dialect in scoped)
    return (
        _macro("finish_reason(word)", _words("lower(word)", mapping.words["finish_reasons"], "lower(word)")),
        _macro("price_tier(word)", f"coalesce({_words('word', mapping.words['service_tiers'], 'word')}, 'standard')"),
        _macro("to_provider(value)", _provider(mapping)),
        _macro("provider_of_model(model)", _words("lower(model)", mapping.words["model_providers"], "null")),
        _macro("agent_of_span(span_name)", _agent_name(mapping)),
        _macro("is_first_token(event_name)", _any_like("event_name", mapping.first_token_events)),
        _macro("is_chunk(event_name)", _any_like("event_name", mapping.chunk_events)),
        _macro("handoff_target(tool, arguments, told)", _handoff_target(mapping)),
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
    bare = f"regexp_replace({value}, {_quoted(mapping.provider_suffix)}, '')"
    return f"case when {canonical} then {value} else {_words(value, named, bare)} end"


def _agent_name(mapping: Mapping) -> str:
    name = "span_name"
    for pattern in mapping.agent_name_patterns:
        name = f"regexp_replace({name}, {_quoted(pattern)}, '')"
    return f"nullif(trim({name}), '')"


def _handoff_target(mapping: Mapping) -> str:
    """The agent that a tool of this name hands over to by its arguments; of any other tool what was told."""
    cases = []
    for tool, names in mapping.words["handoff_tools"].items():
        told = (f"json_extract_string(store.json_of(arguments), {_quoted(f'$.{name}')})" for name in names)
        cases.append(f"when {_quoted(tool)} then store.to_text({_coalesce(told)})")
    return f"case tool {' '.join(cases)} else told end"


def _runs(sources: Iterable[Source]) -> list[list[Source]]:
    """Neighbours that are converted alike: what the first of them tells is converted for all."""
    return [list(run) for _, run in groupby(sources, lambda source: (source.scale, source.plus))]


def _run(column: str, number: int) -> str:
    return _column(f"{column} {number}")


def _value(column: str, converter: str, runs: list[list[Source]]) -> str:
    """The first told value in the column's type."""
    told = [_converted(_run(column, number), converter, run[0]) for number, run in enumerate(runs)]
    return _coalesce(told) if told else f"cast(null as {_TYPES.get(converter, 'varchar')})"


def _converted(text: str, converter: str, source: Source) -> str:
    value = f"store.to_{converter}({text})"
    if source.scale is not None:
        value = f"{value} * {source.scale!r}"
    return value if source.plus is None else f"{value} + {source.plus!r}"


def _told(source: Source) -> str:
    """The text that the source tells, NULL where the span is of another scope or kind than the source asks for."""
    conditions = [_any_like("scope", source.scopes)] if source.scopes else []
    conditions += [f"kind in ({', '.join(map(_quoted, source.kinds))})"] if source.kinds else []
    text = _text(source)
    if not conditions:
        return text
    # Most attributes are absent from most spans: this look saves the rest.
    return f"case when {' and '.join((f'{_raw(source)} is not null', *conditions))} then {text} end"


def _of_input_tokens(mapping: Mapping, describe: Callable[[Source], str]) -> str:
    """What `describe` says of the source that tells input_tokens."""
    told = ((_told(source), describe(source)) for source in mapping.sources["input_tokens"])
    cases = [f"when {text} is not null then {description}" for text, description in told]
    return f"case {' '.join(cases)} end" if cases else "null"


def _text(source: Source) -> str:
    """The part of the raw value that the source means."""
    raw = _raw(source)
    if source.equals is not None:
        return f"case when lower(trim({raw})) = {_quoted(source.equals.lower())} then 'true' end"
    if source.unless:
        words = ", ".join(_quoted(word.lower()) for word in source.unless)
        return f"case when lower(trim({raw})) not in ({words}) then 'true' end"
    if source.since_start:
        moment = f"epoch_us(cast(try_cast(store.json_scalar({raw}) as timestamptz) as timestamp))"
        return f"cast(({moment} - cast(nullif(started_ns, 0) // 1000 as bigint)) / 1000.0 as varchar)"
    if after := source.span_name or source.after:
        return f"case when starts_with({raw}, {_quoted(after)}) then {raw}[{len(after) + 1}:] end"
    return _json_text(source)


def _json_text(source: Source) -> str:
    raw = _raw(source)
    if source.json == "$":
        return f"store.json_scalar({raw})"
    told = f"json_extract_string({_parsed(source.attribute or '')}, {_quoted(source.json or '')})"
    if source.json_sum:
        patterns = ", ".join(map(_quoted, source.json_sum))
        total = f"cast(store.json_sum({_parsed(source.attribute or '')}, [{patterns}]) as varchar)"
        return f"case when try_cast({told} as double) is not null then {total} end" if source.json else total
    if source.json is not None:
        return told
    return raw


def _json_attributes(mapping: Mapping) -> list[str]:
    """The attributes whose JSON is looked into."""
    sources = (source for sources in mapping.sources.values() for source in sources)
    looked_into = (source for source in sources if source.json_sum or (source.json or "$") != "$")
    return list(dict.fromkeys(source.attribute for source in looked_into if source.attribute))


def _parsed(attribute: str) -> str:
    return _column(f"json of {attribute}")


def _lines(columns: Iterable[str]) -> str:
    return ",\n    ".join(columns)


def _kind(mapping: Mapping) -> str:
    return _coalesce(_kind_case(rule) for rule in mapping.kinds)


def _kind_case(rule: KindRule) -> str:
    raw = "name" if rule.span_name else _column(rule.attribute or "")
    value = f"lower(trim({f'store.json_scalar({raw})' if rule.json else raw}))"
    cases = " ".join(f"when {_any_like(value, words)} then {_quoted(kind)}" for words, kind in _words_by_kind(rule))
    scoped = f" and {_any_like('scope', rule.scopes)}" if rule.scopes else ""
    return f"case when {raw} is not null{scoped} then case {cases} end end"


def _words_by_kind(rule: KindRule) -> list[tuple[list[str], str]]:
    """Plain words together, as one look finds them; then the globs in the file's order."""
    plain: dict[str, list[str]] = {}
    for word, kind in rule.values.items():
        if "*" not in word:
            plain.setdefault(kind, []).append(word)
    globs = [([word], kind) for word, kind in rule.values.items() if "*" in word]
    return [(words, kind) for kind, words in plain.items()] + globs


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
