"""The keywords of JSON Schema, each a small function that yields sentences. See `spandeck.guard.schema_check`."""

import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from spandeck.guard.json_types import TYPE_NAMES, equal, is_type, joined, type_name

_MOST_REFERENCES: Final = 64
# How far from a whole number a quotient may be that binary fractions made.
_ROUNDING: Final = 1e-9
_ANNOTATIONS: Final = frozenset(
    (
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "$anchor",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "example",
        "deprecated",
        "readOnly",
        "writeOnly",
        "format",
        "contentEncoding",
        "contentMediaType",
        "nullable",
        "strict",
    )
)
# Words that one function reads together with another keyword.
_PARTNERS: Final = frozenset({"then", "else", "minContains", "maxContains"})

Errors = Iterator[str]


def expanded(schema: Mapping[str, Any] | bool) -> Mapping[str, Any] | bool:
    """The short form {"city": "string"} as a JSON Schema; a JSON Schema as it is."""
    if isinstance(schema, bool) or not schema or "type" in schema:
        return schema
    if all(isinstance(kind, str) and kind in TYPE_NAMES for kind in schema.values()):
        properties = {name: {"type": kind} for name, kind in schema.items()}
        return {"type": "object", "properties": properties, "required": list(schema)}
    return schema


def errors(schema: Any, value: Any, path: str, root: Any, depth: int = 0) -> Errors:
    """What is wrong with `value` at `path` by `schema`, a part of `root`, which references start from."""
    if isinstance(schema, bool):
        if not schema:
            yield f"Unexpected field: {path or 'value'}"
        return
    if not isinstance(schema, Mapping):
        raise ValueError(f"{schema!r} is no JSON Schema: it must be an object or a boolean.")
    if depth > _MOST_REFERENCES:
        raise ValueError(f"The schema at {path or 'value'} refers to itself without end.")
    if unknown := schema.keys() - _KEYWORDS.keys() - _ANNOTATIONS - _PARTNERS:
        raise ValueError(f"Schema keywords {sorted(unknown)} cannot be enforced: use jsonschema for them.")
    for keyword in schema:
        if (check := _KEYWORDS.get(keyword)) is not None:
            yield from check(_Place(schema, value, path, root, depth))


class _Place:
    """One schema and the value it is about; `argument` of a keyword is what the schema says for it."""

    def __init__(self, schema: Mapping[str, Any], value: Any, path: str, root: Any, depth: int) -> None:
        self.schema, self.value, self.path, self.root, self.depth = schema, value, path, root, depth

    @property
    def name(self) -> str:
        return self.path or "value"

    def below(self, schema: Any, step: str | int) -> Errors:
        return errors(schema, self.value[step], joined(self.path, step), self.root)

    def same(self, schema: Any) -> Errors:
        return errors(schema, self.value, self.path, self.root, self.depth + 1)

    def fits(self, schema: Any) -> bool:
        return next(self.same(schema), None) is None


def _type(at: _Place) -> Errors:
    wanted = at.schema["type"]
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if unknown := [name for name in names if name not in TYPE_NAMES]:
        raise ValueError(f"Type {unknown[0]!r} at {at.name} is unknown: use {', '.join(TYPE_NAMES)}.")
    if at.value is None and at.schema.get("nullable") is True:
        return
    if not any(is_type(at.value, name) for name in names):
        yield f"Invalid type for {at.name}: expected {' or '.join(names)}, got {type_name(at.value)}"


def _required(at: _Place) -> Errors:
    if isinstance(at.value, Mapping):
        for name in at.schema["required"]:
            if name not in at.value:
                yield f"Missing required field: {joined(at.path, name)}"


def _properties(at: _Place) -> Errors:
    if isinstance(at.value, Mapping):
        for name, schema in at.schema["properties"].items():
            if name in at.value:
                yield from at.below(schema, name)


def _pattern_properties(at: _Place) -> Errors:
    if isinstance(at.value, Mapping):
        for pattern, schema in at.schema["patternProperties"].items():
            for name in at.value:
                if re.search(pattern, str(name)):
                    yield from at.below(schema, name)


def _additional_properties(at: _Place) -> Errors:
    if isinstance(at.value, Mapping):
        patterns = at.schema.get("patternProperties", {})
        for name in at.value:
            if name not in at.schema.get("properties", {}) and not any(re.search(one, str(name)) for one in patterns):
                yield from at.below(at.schema["additionalProperties"], name)


def _property_names(at: _Place) -> Errors:
    if isinstance(at.value, Mapping):
        for name in at.value:
            yield from errors(at.schema["propertyNames"], name, joined(at.path, str(name)), at.root)


def _dependent_required(at: _Place) -> Errors:
    if isinstance(at.value, Mapping):
        for name, others in at.schema["dependentRequired"].items():
            for other in others if name in at.value else ():
                if other not in at.value:
                    yield f"Missing required field: {joined(at.path, other)} (needed with {name})"


def _dependent_schemas(at: _Place) -> Errors:
    if isinstance(at.value, Mapping):
        for name, schema in at.schema["dependentSchemas"].items():
            if name in at.value:
                yield from at.same(schema)


def _items(at: _Place) -> Errors:
    if isinstance(at.value, list | tuple):
        for index in range(len(at.schema.get("prefixItems", ())), len(at.value)):
            yield from at.below(at.schema["items"], index)


def _prefix_items(at: _Place) -> Errors:
    if isinstance(at.value, list | tuple):
        for index, schema in enumerate(at.schema["prefixItems"][: len(at.value)]):
            yield from at.below(schema, index)


def _contains(at: _Place) -> Errors:
    if isinstance(at.value, list | tuple):
        count = sum(next(at.below(at.schema["contains"], index), None) is None for index in range(len(at.value)))
        least, most = at.schema.get("minContains", 1), at.schema.get("maxContains", math.inf)
        if not least <= count <= most:
            yield f"Invalid value for {at.name}: {count} items fit `contains`"


def _unique_items(at: _Place) -> Errors:
    if at.schema["uniqueItems"] is True and isinstance(at.value, list | tuple):
        pairs = ((one, other) for place, one in enumerate(at.value) for other in at.value[:place])
        if any(equal(one, other) for one, other in pairs):
            yield f"Invalid value for {at.name}: items must differ"


def _enum(at: _Place) -> Errors:
    if not any(equal(at.value, allowed) for allowed in at.schema["enum"]):
        yield f"Invalid value for {at.name}: must be one of {', '.join(map(repr, at.schema['enum']))}"


def _const(at: _Place) -> Errors:
    if not equal(at.value, at.schema["const"]):
        yield f"Invalid value for {at.name}: must be {at.schema['const']!r}"


def _pattern(at: _Place) -> Errors:
    if isinstance(at.value, str) and not re.search(at.schema["pattern"], at.value):
        yield f"Invalid value for {at.name}: must match {at.schema['pattern']}"


def _multiple_of(at: _Place) -> Errors:
    if is_type(at.value, "number"):
        parts = at.value / at.schema["multipleOf"]
        if not math.isfinite(parts) or abs(parts - round(parts)) > _ROUNDING:
            yield f"Invalid value for {at.name}: must be a multiple of {at.schema['multipleOf']}"


def _compared(at: _Place, keyword: str, kind: str, fits: Callable[[Any, Any], bool], words: str) -> Errors:
    bound = at.schema[keyword]
    if is_type(at.value, kind) and not fits(at.value, bound):
        yield f"Invalid value for {at.name}: must {words} {bound}"


def _all_of(at: _Place) -> Errors:
    for schema in at.schema["allOf"]:
        yield from at.same(schema)


def _any_of(at: _Place) -> Errors:
    attempts = [list(at.same(schema)) for schema in at.schema["anyOf"]]
    if not any(not attempt for attempt in attempts):
        # The alternative that comes closest tells most about what was meant.
        yield from min(attempts, key=len, default=[f"Invalid value for {at.name}: nothing is allowed"])


def _one_of(at: _Place) -> Errors:
    attempts = [list(at.same(schema)) for schema in at.schema["oneOf"]]
    fitting = sum(not attempt for attempt in attempts)
    if fitting > 1:
        yield f"Invalid value for {at.name}: fits {fitting} alternatives of which one is allowed"
    elif fitting == 0:
        yield from min(attempts, key=len, default=[f"Invalid value for {at.name}: nothing is allowed"])


def _not(at: _Place) -> Errors:
    if at.fits(at.schema["not"]):
        yield f"Invalid value for {at.name}: is what the schema excludes"


def _if(at: _Place) -> Errors:
    yield from at.same(at.schema.get("then" if at.fits(at.schema["if"]) else "else", True))


def _reference(at: _Place) -> Errors:
    reference = at.schema["$ref"]
    if not reference.startswith("#"):
        raise ValueError(f"Reference {reference!r} leads outside of the schema: put what it names under $defs.")
    target = at.root
    for part in filter(None, reference[1:].split("/")):
        step = part.replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(step)] if isinstance(target, list) else target[step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise ValueError(f"Reference {reference!r} names nothing in the schema.") from None
    yield from at.same(target)


def _bound(keyword: str, kind: str, fits: Callable[[Any, Any], bool], words: str) -> Callable[[_Place], Errors]:
    return functools.partial(_compared, keyword=keyword, kind=kind, fits=fits, words=words)


_KEYWORDS: Final[dict[str, Callable[[_Place], Errors]]] = {
    "type": _type,
    "required": _required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "uniqueItems": _unique_items,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "multipleOf": _multiple_of,
    "minimum": _bound("minimum", "number", lambda value, bound: value >= bound, "be at least"),
    "maximum": _bound("maximum", "number", lambda value, bound: value <= bound, "be at most"),
    "exclusiveMinimum": _bound("exclusiveMinimum", "number", lambda value, bound: value > bound, "be above"),
    "exclusiveMaximum": _bound("exclusiveMaximum", "number", lambda value, bound: value < bound, "be below"),
    "minLength": _bound("minLength", "string", lambda value, bound: len(value) >= bound, "have a length of at least"),
    "maxLength": _bound("maxLength", "string", lambda value, bound: len(value) <= bound, "have a length of at most"),
    "minItems": _bound("minItems", "array", lambda value, bound: len(value) >= bound, "have an item count of at least"),
    "maxItems": _bound("maxItems", "array", lambda value, bound: len(value) <= bound, "have an item count of at most"),
    "minProperties": _bound("minProperties", "object", lambda value, bound: len(value) >= bound, "have at least"),
    "maxProperties": _bound("maxProperties", "object", lambda value, bound: len(value) <= bound, "have at most"),
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "$ref": _reference,
}
