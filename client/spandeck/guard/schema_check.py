"""Inputs and outputs of tools against a JSON Schema or a pydantic model: every error at once, as a sentence.

The part of JSON Schema (draft 2020-12, vocabularies "core", "applicator" and "validation") that tools use. A
keyword outside of it is an error, for a bound that is not enforced would be no bound; `format` and the like are
annotations, as the specification has it.
"""

from collections.abc import Mapping
from typing import Any

from spandeck.guard import keywords, pydantic_models
from spandeck.guard.recording import refusal

Schema = Mapping[str, Any] | bool | type[Any]


def validate_input(schema: Schema, value: Any) -> list[str]:
    """All that is wrong with `value`, the arguments of a tool call; an empty list where nothing is.

    `schema` is a JSON Schema, a pydantic model class, or the short form {"city": "string"}: required fields
    with their types. Sentences are `Missing required field: X`, `Invalid type for X: expected T, got U` and
    alike, X a path such as `order.items[0].id` and T, U types of JSON. Raises `ValueError` for a schema that
    cannot be enforced.
    """
    if pydantic_models.is_model(schema):
        return pydantic_models.errors(schema, value)
    if not isinstance(schema, Mapping | bool):
        raise ValueError(f"{schema!r} is no schema: give a JSON Schema, a pydantic model or names with their types.")
    full = keywords.expanded(schema)
    try:
        return list(keywords.errors(full, value, "", full))
    except RecursionError:
        return ["Invalid value for value: nested too deeply"]


def validate_output(schema: Schema, value: Any) -> list[str]:
    """As `validate_input`, for what a tool returned."""
    return validate_input(schema, value)


def require_valid(schema: Schema, value: Any, what: str) -> None:
    """Raises `SecurityError` of kind "schema" that lists all errors of `value`; `what` names it in the sentence."""
    if errors := validate_input(schema, value):
        raise refusal(f"{what} is not valid: {'; '.join(errors)}", "schema", tuple(errors))
