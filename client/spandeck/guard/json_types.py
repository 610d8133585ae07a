"""The types of JSON, and how a place in a value is written."""

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Final

TYPE_NAMES: Final = ("string", "integer", "number", "boolean", "object", "array", "null")


# In this order: a boolean is an integer to Python, but not to JSON.
_CLASSES: Final[tuple[tuple[type | UnionType, str], ...]] = (
    (NoneType, "null"),
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (Mapping, "object"),
    (list | tuple, "array"),
)


def type_name(value: object) -> str:
    """The JSON type of `value`, or the class of what JSON does not have."""
    return next((name for kind, name in _CLASSES if isinstance(value, kind)), type(value).__name__)


def is_type(value: object, name: str) -> bool:
    """True where `value` is of the JSON type `name`; 1.0 is an integer too (JSON Schema, 6.1.1)."""
    actual = type_name(value)
    if name == "integer":
        return actual == "integer" or (isinstance(value, float) and value.is_integer())
    if name == "number":
        return actual in ("integer", "number")
    return actual == name


def equal(one: Any, other: Any) -> bool:
    """True where JSON would write both the same: 1 is 1.0, but True is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def path_of(steps: Iterable[str | int]) -> str:
    """Steps into a value as one path, such as `order.items[0].id`; the value itself is `value`."""
    path = ""
    for step in steps:
        path = joined(path, step)
    return path or "value"


def joined(path: str, step: str | int) -> str:
    """`path` and one step more."""
    if isinstance(step, int):
        return f"{path or 'value'}[{step}]"
    return f"{path}.{step}" if path else step
