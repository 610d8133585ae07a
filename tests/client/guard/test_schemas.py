"""Tool data against schemas: the sentences, all at once, and the same verdicts as the reference library."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck import SecurityError, validate_input, validate_output
from spandeck.guard import require_valid

pytestmark = pytest.mark.unit

ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "count": {"type": "integer", "minimum": 1},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "state": {"enum": ["open", "closed"]},
    },
    "required": ["id", "count"],
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}},
}


def test_all_errors_are_listed_together_in_the_words_of_the_seed() -> None:
    value = {"count": "3", "items": [{"sku": 7}, {}], "state": "lost", "note": 1}
    assert validate_input(ORDER, value) == [
        "Invalid type for count: expected integer, got string",
        "Invalid type for items[0].sku: expected string, got integer",
        "Missing required field: items[1].sku",
        "Invalid value for state: must be one of 'open', 'closed'",
        "Missing required field: id",
        "Unexpected field: note",
    ]
    assert validate_output(ORDER, {"id": "a", "count": 1}) == []


def test_the_short_form_names_required_fields_with_their_types() -> None:
    schema = {"city": "string", "days": "number"}
    assert validate_input(schema, {"days": "two"}) == [
        "Invalid type for days: expected number, got string",
        "Missing required field: city",
    ]


def test_a_refusal_lists_all_errors() -> None:
    with pytest.raises(SecurityError, match=r"Security: Input of find is not valid: .*count.*; .*id") as caught:
        require_valid(ORDER, {"count": None}, "Input of find")
    assert caught.value.kind == "schema"
    assert len(caught.value.findings) == 2


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"unevaluatedProperties": False}, r"keywords \['unevaluatedProperties'\] cannot be enforced"),
        ({"type": "text"}, "Type 'text' at value is unknown"),
        ({"$ref": "https://example.com/schema"}, "leads outside of the schema"),
        ({"$ref": "#/$defs/none"}, "names nothing in the schema"),
        ({"$ref": "#"}, "refers to itself without end"),
        ({"allOf": [3]}, "3 is no JSON Schema"),
        ("text", "'text' is no schema"),
    ],
)
def test_a_schema_that_cannot_be_enforced_is_an_error(schema: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        validate_input(schema, {})


def test_a_value_nested_without_end_is_invalid_not_a_crash() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert validate_input({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, value) == [
        "Invalid value for value: nested too deeply"
    ]
    while value:
        value = value.pop()


def test_pydantic_models_are_schemas() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Query(pydantic.BaseModel):  # type: ignore[name-defined,misc]
        model_config = pydantic.ConfigDict(extra="forbid")
        city: str
        days: int = pydantic.Field(ge=1)
        tags: list[str] = pydantic.Field(default_factory=list)

    assert validate_input(Query, {"city": "Oslo", "days": 2}) == []
    assert validate_output(Query, Query(city="Oslo", days=2)) == []
    assert validate_input(Query, {"days": "two", "tags": [1], "x": 1}) == [
        "Missing required field: city",
        "Invalid type for days: expected integer, got string",
        "Invalid type for tags[0]: expected string, got integer",
        "Unexpected field: x",
    ]
    assert validate_input(Query, {"city": "Oslo", "days": 0}) == [
        "Invalid value for days: Input should be greater than or equal to 1"
    ]


NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -2.5])
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        "minimum": NUMBERS,
        "exclusiveMaximum": NUMBERS,
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "minLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "b$"]),
        "maxItems": st.integers(0, 3),
        "uniqueItems": st.booleans(),
        "minProperties": st.integers(0, 2),
        "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
        "dependentRequired": st.just({"a": ["b"]}),
    },
)


def _applied(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    return st.booleans() | st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "patternProperties": st.just({"^a": {"type": "string"}}),
            "additionalProperties": inner,
            "propertyNames": st.just({"maxLength": 1}),
            "items": inner,
            "prefixItems": some,
            "contains": inner,
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


@settings(deadline=None, max_examples=40)
@given(st.recursive(LEAVES, _applied, max_leaves=6), VALUES)
def test_what_is_valid_is_what_the_reference_library_says(schema: Any, value: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert (validate_input(schema, value) == []) == jsonschema.Draft202012Validator(schema).is_valid(value)
