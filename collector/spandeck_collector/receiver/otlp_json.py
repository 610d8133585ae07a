"""OTLP/JSON to protobuf messages, driven by the messages' own descriptors.

The rules are proto3 JSON with OTLP's exceptions ("JSON Protobuf Encoding" in the OTLP specification): trace and
span ids are hex text in any case, keys are lowerCamelCase only, unknown keys are ignored at every level. 64-bit
integers come as text or number, enums as number or name, bytes as base64, null is the default, and NaN and the
infinities are texts. A wrong type is an error; an id that is not hex becomes an empty id, which admission
refuses for the one span.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from spandeck_collector.wire import MOST_DEPTH

_IDS = {"trace_id", "span_id", "parent_span_id"}
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
"""A text or a bracket of JSON."""

_MOST_BRACKETS = 4 * MOST_DEPTH
_URL_SAFE = str.maketrans("-_", "+/")
_INTEGER_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), 1 << 31),
    FieldDescriptor.CPPTYPE_UINT32: (0, 1 << 32),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), 1 << 63),
    FieldDescriptor.CPPTYPE_UINT64: (0, 1 << 64),
}
_Convert = Callable[[Any], Any]
_Assign = Callable[[Any, Any, "Depth"], None]
_M = TypeVar("_M", bound=Message)


class OtlpJsonError(ValueError):
    """The text is not JSON, or a value has a type that its field cannot have; names fields, never values."""


class Depth:
    """How deep the message is that is filled, and whether a deeper one than the parser of protobuf takes was met."""

    def __init__(self) -> None:
        """Outside of all messages."""
        self.level = 0
        self.has_cut = False


def message_from_json(
    body: bytes, message_class: type[_M], check: Callable[[Any], None] = lambda _value: None
) -> tuple[_M, bool]:
    """The message that UTF-8 `body` encodes, and whether messages too deep in it were left empty.

    Raises `OtlpJsonError`, and what `check` of the parsed JSON raises.
    """
    value = json_value(body)
    check(value)
    message, depth = message_class(), Depth()
    fill(message, value, depth)
    return message, depth.has_cut


def refuse_constant(_name: str) -> NoReturn:
    """Refuse a number that JSON does not have."""
    raise ValueError("NaN and Infinity must be texts")


def json_value(text: bytes, constant: Callable[[str], Any] = refuse_constant) -> Any:
    """What UTF-8 JSON says; `constant` gives the value of NaN or an infinity. Raises `OtlpJsonError`."""
    try:
        try:
            return json.loads(text.decode(), parse_constant=constant)
        except RecursionError:
            return json.loads(_without_deep_values(text).decode(), parse_constant=constant)
    except RecursionError as error:  # what is cut off at its end
        raise OtlpJsonError("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise OtlpJsonError("it is not UTF-8") from error
    except ValueError as error:
        raise OtlpJsonError(f"it is not JSON: {error}") from error


def _without_deep_values(text: bytes) -> bytes:
    """JSON with null for every object and array that is deeper than any that is looked into."""
    pieces, copied, depth, start = [], 0, 0, 0
    for token in TOKEN.finditer(text):
        first = text[token.start()]
        if first in b"{[":
            depth += 1
            if depth == _MOST_BRACKETS:
                start = token.start()
        elif first in b"}]":
            if depth == _MOST_BRACKETS:
                pieces += [text[copied:start], b"null"]
                copied = token.end()
            depth -= 1
    return b"".join([*pieces, text[copied:]])


def fill(message: Message, value: Any, depth: Depth) -> None:
    """Set the fields of `message`, which lies at `depth`, as a JSON value says. Raises `OtlpJsonError`."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise OtlpJsonError(f"{message.DESCRIPTOR.name} must be an object")
    if depth.level >= MOST_DEPTH:
        depth.has_cut = True
        return
    depth.level += 1
    assign_by_key = _fields(message.DESCRIPTOR)
    for key, item in value.items():
        assign = assign_by_key.get(key)
        if assign is not None and item is not None:
            assign(message, item, depth)
    depth.level -= 1


@cache
def _fields(descriptor: Descriptor) -> dict[str, _Assign]:
    return {field.json_name: _assignment(field) for field in descriptor.fields}


def _assignment(field: FieldDescriptor) -> _Assign:
    if field.message_type is not None:
        return _repeated_message(field) if field.is_repeated else _message(field)
    return _repeated_scalar(field) if field.is_repeated else _scalar(field)


def _message(field: FieldDescriptor) -> _Assign:
    def assign(message: Any, value: Any, depth: Depth) -> None:
        child = getattr(message, field.name)
        child.SetInParent()
        fill(child, value, depth)

    return assign


def _repeated_message(field: FieldDescriptor) -> _Assign:
    def assign(message: Any, value: Any, depth: Depth) -> None:
        children = getattr(message, field.name)
        for item in list_of(field.json_name, value):
            fill(children.add(), item, depth)

    return assign


def _scalar(field: FieldDescriptor) -> _Assign:
    convert = _converter(field)

    def assign(message: Any, value: Any, _depth: Depth) -> None:
        setattr(message, field.name, convert(value))

    return assign


def _repeated_scalar(field: FieldDescriptor) -> _Assign:
    convert = _converter(field)

    def assign(message: Any, value: Any, _depth: Depth) -> None:
        getattr(message, field.name).extend(convert(item) for item in list_of(field.json_name, value))

    return assign


def list_of(name: str, value: Any) -> list[Any]:
    """`value`, which the field of this name demands to be a list; raises `OtlpJsonError`."""
    if not isinstance(value, list):
        raise OtlpJsonError(f"{name} must be an array")
    return value


def _converter(field: FieldDescriptor) -> _Convert:
    kind = field.cpp_type
    if kind in _INTEGER_BITS:
        return _integer(field.json_name, *_INTEGER_BITS[kind])
    if field.enum_type is not None:
        return _enum(field.json_name, field.enum_type)
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return _double(field.json_name)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return _bool(field.json_name)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _id(field.json_name) if field.name in _IDS else _base64(field.json_name)
    return _string(field.json_name)


def _integer(name: str, low: int, high: int) -> _Convert:
    def convert(value: Any) -> int:
        is_text = isinstance(value, str) and _INTEGER.fullmatch(value)
        if is_text or (isinstance(value, float) and value.is_integer()):
            value = int(value)
        if type(value) is not int or not low <= value < high:
            raise OtlpJsonError(f"{name} must be an integer of its range, as number or text")
        return value

    return convert


def _enum(name: str, enum: EnumDescriptor) -> _Convert:
    integer = _integer(name, *_INTEGER_BITS[FieldDescriptor.CPPTYPE_INT32])
    numbers = {value.name: value.number for value in enum.values}

    def convert(value: Any) -> int:
        known = numbers.get(value) if isinstance(value, str) else None
        return integer(value) if known is None else known

    return convert


def _double(name: str) -> _Convert:
    def convert(value: Any) -> float:
        if isinstance(value, str):
            if value in _NOT_FINITE:
                return _NOT_FINITE[value]
            if _NUMBER.fullmatch(value):
                return float(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                return math.inf if value > 0 else -math.inf
        raise OtlpJsonError(f"{name} must be a number")

    return convert


def _bool(name: str) -> _Convert:
    def convert(value: Any) -> bool:
        if not isinstance(value, bool):
            raise OtlpJsonError(f"{name} must be true or false")
        return value

    return convert


def _string(name: str) -> _Convert:
    def convert(value: Any) -> str:
        if not isinstance(value, str):
            raise OtlpJsonError(f"{name} must be a text")
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, as JavaScript leaves when it cuts a text
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return value

    return convert


def _base64(name: str) -> _Convert:
    def convert(value: Any) -> bytes:
        if isinstance(value, str):
            text = value.translate(_URL_SAFE).rstrip("=")
            try:
                return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
            except ValueError:
                pass
        raise OtlpJsonError(f"{name} must be base64 text")

    return convert


def _id(name: str) -> _Convert:
    def convert(value: Any) -> bytes:
        if not isinstance(value, str):
            raise OtlpJsonError(f"{name} must be hex text")
        try:
            return binascii.unhexlify(value)
        except ValueError:
            return b""

    return convert
