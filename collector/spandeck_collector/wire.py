"""The protobuf wire format, read field by field where a whole message must not be built: too large, or too deep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

MOST_DEPTH = 98
"""Messages inside one another that are looked into: a little less than the 100 that protobuf takes."""

VARINT, LENGTH, GROUP = 0, 2, 3
FIXED_BYTES = {1: 8, 5: 4}
_MORE, _LONGEST_SHIFT = 0x80, 63
_M = TypeVar("_M", bound=Message)


class Field(NamedTuple):
    """One field: its number and wire type, where it starts, where its content starts, and where it ends."""

    number: int
    wire_type: int
    start: int
    content: int
    end: int


def varint(body: bytes, position: int) -> tuple[int, int]:
    """The number at `position`, and the position behind it; `IndexError` behind the end of the body."""
    byte = body[position]
    if byte < _MORE:
        return byte, position + 1
    value = shift = 0
    while byte >= _MORE and shift < _LONGEST_SHIFT:
        value |= (byte & 0x7F) << shift
        shift += 7
        position += 1
        byte = body[position]
    return value | byte << shift, position + 1


def encoded_varint(value: int) -> bytes:
    """A number as it stands in a message."""
    encoded = bytearray()
    while value >= _MORE:
        encoded.append(value & 0x7F | _MORE)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def fields(body: bytes, start: int, end: int) -> Iterator[Field]:
    """The fields of the message there; of a group only its tags. Raises `DecodeError` where one ends outside."""
    position = start
    while position < end:
        began = position
        try:
            tag, content = varint(body, position)
            wire_type = tag & 7
            if wire_type == LENGTH:
                length, content = varint(body, content)
                position = content + length
            elif wire_type == VARINT:
                position = varint(body, content)[1]
            else:
                position = content + FIXED_BYTES.get(wire_type, 0)
        except IndexError:
            raise DecodeError("A field is cut.") from None
        if position > end:
            raise DecodeError("A field ends behind its message.")
        yield Field(tag >> 3, wire_type, began, content, position)


def descriptor_of(kind: type[Message]) -> Descriptor:
    """What `kind` is made of."""
    descriptor: Descriptor = getattr(kind, "DESCRIPTOR")  # noqa: B009 - the stubs name two classes for it
    return descriptor


def child_kind(kind: type[Message], name_or_number: str | int) -> type[Message] | None:
    """The message that a field of `kind` holds; None for a field that holds none, or that OTLP does not have."""
    by_name, by_number = descriptor_of(kind).fields_by_name, descriptor_of(kind).fields_by_number
    field = by_name.get(name_or_number) if isinstance(name_or_number, str) else by_number.get(name_or_number)
    if field is None or field.message_type is None:
        return None
    return GetMessageClass(field.message_type)


def parse(kind: type[_M], body: bytes) -> _M:
    """The message; messages that lie too deep in it are empty. Raises `DecodeError` for what is no message at all."""
    try:
        return kind.FromString(body)
    except DecodeError:
        cut = without_deep_messages(kind, body)
        if cut is None:
            raise
        return kind.FromString(cut)


def without_deep_messages(kind: type[Message], body: bytes, most_fields: int | None = None) -> bytes | None:
    """`body` with every message emptied that is deeper than the parser takes; None where there is none.

    `most_fields` bounds how many fields are looked at. Raises `DecodeError`.
    """
    cut = _Cut(body, most_fields)
    pieces = cut.message(descriptor_of(kind), 0, len(body), 1)
    return b"".join(pieces) if cut.has_cut else None


class _Cut:
    """Copies a message without what is too deep."""

    def __init__(self, body: bytes, most_fields: int | None) -> None:
        self.has_cut = False
        self._body = body
        self._left = most_fields

    def message(self, descriptor: Descriptor, start: int, end: int, depth: int) -> list[bytes]:
        pieces, copied = [], start
        children = descriptor.fields_by_number
        for field in fields(self._body, start, end):
            self._count()
            child = children.get(field.number)
            if field.wire_type != LENGTH or child is None or child.message_type is None or field.content == field.end:
                continue
            pieces.append(self._body[copied : field.start])
            pieces += self._child(child.message_type, field, depth + 1)
            copied = field.end
        pieces.append(self._body[copied:end])
        return pieces

    def _child(self, descriptor: Descriptor, field: Field, depth: int) -> list[bytes]:
        if depth > MOST_DEPTH:
            self.has_cut = True
            return [encoded_varint(field.number << 3 | LENGTH), b"\0"]
        pieces = self.message(descriptor, field.content, field.end, depth)
        size = sum(map(len, pieces))
        return [encoded_varint(field.number << 3 | LENGTH), encoded_varint(size), *pieces]

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise DecodeError("The message has too many fields.")
