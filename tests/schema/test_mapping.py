"""Every source that `attributes.toml` names reaches its column, with what must stand beside it, in the file's order."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from spandeck_schema.generated import mapped_spans
from spandeck_schema.mapping import Source, load_mapping, parse_mapping

from .mapped import KIND_NAME, Mapper, common_scope, holding, like, read

MAPPING = load_mapping()
SOURCES = [(column, index) for column, sources in MAPPING.sources.items() for index in range(len(sources))]
PAIRS = [
    (column, pair)
    for column, sources in MAPPING.sources.items()
    for pair in combinations(range(len(sources)), 2)
    if holding(MAPPING, column, pair)
]
Found = dict[str, Any]


@pytest.fixture(scope="module")
def mapper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapper]:
    """One mapping for the whole module."""
    result = Mapper(tmp_path_factory.mktemp("mapping"))
    yield result
    result.connection.close()


@pytest.fixture(scope="module")
def alone(mapper: Mapper) -> dict[tuple[str, int], Found]:
    """What the mapping reads of spans with one source each."""
    return dict(zip(SOURCES, mapper([_span(*key) for key in SOURCES]), strict=True))


def _span(column: str, *indexes: int) -> dict[str, Any]:
    span = holding(MAPPING, column, indexes)
    assert span is not None
    return span


def _approx(value: Any) -> Any:
    return pytest.approx(value) if isinstance(value, float) else value


@pytest.mark.integration
@pytest.mark.parametrize(("column", "index"), SOURCES, ids=str)
def test_a_source_alone_fills_its_column(column: str, index: int, alone: dict[tuple[str, int], Found]) -> None:
    assert alone[column, index][column] == _approx(read(MAPPING, column, index))


@pytest.mark.integration
def test_of_two_sources_the_first_in_the_file_wins(mapper: Mapper) -> None:
    rows = mapper([_span(column, *pair) for column, pair in PAIRS])
    found = {key: row[key[0]] for key, row in zip(PAIRS, rows, strict=True)}
    assert found == {(column, pair): _approx(read(MAPPING, column, pair[0])) for column, pair in PAIRS}


@pytest.mark.integration
def test_an_empty_first_source_leaves_room_for_the_second(mapper: Mapper) -> None:
    apart = [(column, pair) for column, pair in PAIRS if len({MAPPING.sources[column][i].slot for i in pair}) == 2]
    spans = []
    for column, pair in apart:
        span, first = _span(column, *pair), MAPPING.sources[column][pair[0]]
        if first.span_name is not None:
            span["name"] = ""
        else:
            span["attributes" if first.resource is None else "resource"][first.attribute or first.resource] = ""
        spans.append(span)
    found = {key: row[key[0]] for key, row in zip(apart, mapper(spans), strict=True)}
    assert found == {(column, pair): _approx(read(MAPPING, column, pair[1])) for column, pair in apart}


@pytest.mark.integration
def test_a_source_is_not_read_in_another_scope_or_on_another_kind(mapper: Mapper) -> None:
    bound = [(column, index) for column, index in SOURCES if _is_bound(column, MAPPING.sources[column][index])]
    spans = [_span(*key) for key in bound]
    for span, (column, index) in zip(spans, bound, strict=True):
        if MAPPING.sources[column][index].scopes:
            span["scope"] = "elsewhere"
        else:
            span["attributes"] |= {KIND_NAME: "RERANKER"}
    rows = mapper(spans)
    found = {key: row[key[0]] for key, row in zip(bound, rows, strict=True)}
    assert found == dict.fromkeys(bound)


def _is_bound(column: str, source: Source) -> bool:
    free = {other.slot for other in MAPPING.sources[column] if not (other.scopes or other.kinds)}
    return bool(source.scopes or source.kinds) and source.slot not in free


@pytest.mark.integration
def test_usage_names_its_attribute_and_whether_cached_tokens_are_missing(alone: dict[tuple[str, int], Found]) -> None:
    for index, source in enumerate(MAPPING.sources["input_tokens"]):
        row = alone["input_tokens", index]
        assert (row["usage_source"], row["excludes_cached"]) == (source.attribute, source.excludes_cached)


BLANK: list[Any] = ["", "  ", None]
NO_NUMBERS = [*BLANK, "many", {"a": 1}, [1], float("nan"), float("inf"), "1e400", "\x00", "{", "[", "'", True]


@pytest.mark.integration
def test_blank_text_is_nothing_and_what_is_no_number_is_no_number(mapper: Mapper) -> None:
    cells = [
        (column, source.attribute, common_scope([source]), value)
        for column, sources in MAPPING.sources.items()
        for source in sources
        for value in (NO_NUMBERS if MAPPING.types[column] in ("count", "number") else BLANK)
        if source.attribute is not None
    ]
    rows = mapper([{"scope": scope, "attributes": {name: value}} for _, name, scope, value in cells])
    told = [(*cell, row[cell[0]]) for cell, row in zip(cells, rows, strict=True) if row[cell[0]] is not None]
    assert told == []


@pytest.mark.integration
def test_every_scope_pattern_names_its_family(mapper: Mapper) -> None:
    scopes = [(pattern, dialect.family) for dialect in MAPPING.dialects for pattern in dialect.scopes]
    rows = mapper([{"scope": like(pattern)} for pattern, _ in [*scopes, ("shop", "")]])
    assert [row["family"] for row in rows] == [*(family for _, family in scopes), "other"]


HEAD = '[columns]\na = "text"\n[[dialects]]\nfamily = "odd"\n[dialects.sources]\n'


@pytest.mark.unit
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('nope = ["x"]', "'odd' maps 'nope', which"),
        ("a = [{ scale = 2.0 }]", "'odd'.*must name one of attribute, resource, span_name"),
        ('a = [{ attribute = "x", resource = "y" }]', "'odd'.*must name one of attribute, resource, span_name"),
        ('a = [{ attribute = "x", skale = 2.0 }]', "'odd'.*unknown key 'skale'"),
        ('a = [{ attribute = "x", scopes = "y" }]', "'odd': 'scopes' of .* must be a list"),
        ('a = [{ attribute = "x", scale = "2" }]', "'odd': 'scale' of .* must be a float"),
        ('a = [{ attribute = "x", since_start = "yes" }]', "'odd': 'since_start' of .* must be a bool"),
    ],
)
def test_a_wrong_dialect_is_refused_with_its_name_and_the_key(source: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_mapping(HEAD + source)


ODD = r"""
[columns]
user_id = "text"
[[dialects]]
family = "odd"
scopes = ["a'b*"]
[dialects.sources]
user_id = [{ attribute = "it's \"odd\"", scopes = ["a'b*"] }]
input_tokens = ["tokens"]
[[kinds]]
attribute = "k'"
values = { "x'" = "tool" }
[finish_reasons]
[service_tiers]
[providers]
[model_providers]
[handoff_tools]
[provider_names]
without = "x"
[framework_names]
not_a_provider = []
[agent_names]
without = []
[first_token]
events = []
chunks = []
""".replace("[columns]", '[columns]\ninput_tokens = "count"')
ODD_ROWS = """(
    from incoming_spans
    union all by name
    select 1 as arrival, 'a''bc' as scope, 'u' as "it's ""odd""\", 'X''' as "k'", '7' as tokens
    union all by name
    select 2 as arrival, 'abc' as scope, 'u' as "it's ""odd""\"
)"""


@pytest.mark.integration
def test_a_new_dialect_is_data_and_its_names_are_quoted(mapper: Mapper) -> None:
    query = mapped_spans(parse_mapping(ODD)).replace("incoming_spans", ODD_ROWS)
    names = ("user_id", "family", "kind", "input_tokens", "usage_source")
    found = [tuple(row[name] for name in names) for row in mapper.rows(query + " order by arrival")]
    assert found == [("u", "odd", "tool", 7, "tokens"), (None, "other", None, None, None)]


STORED_OTHERWISE = {"tool_input": "tool_input_hash", "failed": "status", "error_code": "error_type"}
NOT_STORED = {"total_tokens", "cache_write_5m_tokens"}


@pytest.mark.integration
def test_every_mapped_column_is_stored(mapper: Mapper) -> None:
    stored = {row["column_name"] for row in mapper.rows("describe store.spans")}
    assert {STORED_OTHERWISE.get(column, column) for column in MAPPING.types} - stored == NOT_STORED
