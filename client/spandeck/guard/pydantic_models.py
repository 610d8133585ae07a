"""Pydantic models as schemas; pydantic is not imported here, only what the user's own model offers is called."""

from typing import Any, TypeGuard

from spandeck.guard.json_types import path_of, type_name

# Pydantic's types of error, in the words of JSON. Source: pydantic, "Validation errors".
_TYPES = {
    "string": "string",
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "dict": "object",
    "model": "object",
    "dataclass": "object",
    "none": "null",
}


def is_model(schema: object) -> TypeGuard[type[Any]]:
    """True for a class that validates as pydantic's models do."""
    return isinstance(schema, type) and hasattr(schema, "model_validate")


def errors(model: type[Any], value: Any) -> list[str]:
    """What the model finds wrong with `value`, in the words of `validate_input`."""
    if isinstance(value, model):
        value = value.model_dump()
    try:
        model.model_validate(value)
    except ValueError as error:
        found = getattr(error, "errors", None)
        return [str(error)] if found is None else [_sentence(one) for one in found(include_url=False)]
    return []


def _sentence(error: dict[str, Any]) -> str:
    path = path_of(error["loc"])
    kind = str(error["type"])
    if kind == "missing":
        return f"Missing required field: {path}"
    if kind == "extra_forbidden":
        return f"Unexpected field: {path}"
    root, _, ending = kind.partition("_")
    if root in _TYPES and ending in ("type", "parsing", "from_float", "attributes_type"):
        return f"Invalid type for {path}: expected {_TYPES[root]}, got {type_name(error['input'])}"
    return f"Invalid value for {path}: {error['msg']}"
