"""Move recorded telemetry in time, under new ids that hang together as the old ones did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from google.protobuf.message import Message


def camel_case(field: str) -> str:
    """A protobuf field name as OTLP/JSON spells it."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


_TIME_SUFFIX = "_unix_nano"
_ID_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
_JSON_ID_BYTES = {camel_case(field): size for field, size in _ID_BYTES.items()}
_JSON_TIME_SUFFIX = "UnixNano"
_LATEST_NS = 2**64 - 1

_OPAQUE = {"attributes", "body", "resource", "scope", "filtered_attributes"}
"""What the user wrote: never touched, whatever it looks like."""

_DETAILS = {"events", "links", "exemplars"}
"""Parts of an item that do not decide when the item ended."""

_JSON_OPAQUE = {camel_case(field) for field in _OPAQUE}


@dataclass(frozen=True)
class Shift:
    """Adds `ns` to every time and replaces every id by blake2b of (recording, ns, old id).

    The same recording with the same shift gives the same ids; another shift gives others. Zero times and
    ids of a wrong length stay as they are, so that a collector judges them as it would have.
    """

    ns: int
    recording: str

    def apply_to_json(self, node: Any) -> None:
        """Change an OTLP/JSON request in place."""
        if isinstance(node, list):
            for child in node:
                self.apply_to_json(child)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key.endswith(_JSON_TIME_SUFFIX):
                    node[key] = self._json_time(value)
                elif key in _JSON_ID_BYTES:
                    node[key] = self._json_id(value, _JSON_ID_BYTES[key])
                elif key not in _JSON_OPAQUE:
                    self.apply_to_json(value)

    def apply_to_message(self, message: Message) -> None:
        """Change a protobuf request in place."""
        for field, value in message.ListFields():
            if field.name.endswith(_TIME_SUFFIX):
                setattr(message, field.name, self._time(value))
            elif field.name in _ID_BYTES:
                setattr(message, field.name, self._id(value, _ID_BYTES[field.name]))
            elif field.name not in _OPAQUE and field.message_type is not None:
                for child in _messages(value):
                    self.apply_to_message(child)

    def _time(self, time_ns: int) -> int:
        return min(max(time_ns + self.ns, 1), _LATEST_NS) if time_ns else 0

    def _id(self, old: bytes, size: int) -> bytes:
        if len(old) != size or not any(old):
            return old
        source = f"{self.recording}\0{self.ns}\0".encode() + old
        return blake2b(source, digest_size=size).digest()

    def _json_time(self, value: Any) -> Any:
        time_ns = json_time_ns(value)
        return value if time_ns is None else str(self._time(time_ns))

    def _json_id(self, value: Any, size: int) -> Any:
        try:
            return self._id(bytes.fromhex(value), size).hex()
        except (TypeError, ValueError):
            return value


def json_time_ns(value: Any) -> int | None:
    """A time of OTLP/JSON, string or number; None for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def latest_json_ns(item: dict[str, Any]) -> int:
    """The last moment of a span, log record or metric in OTLP/JSON; 0 when it has no time."""
    return max(_json_times(item), default=0)


def latest_message_ns(item: Message) -> int:
    """The last moment of a span, log record or metric in protobuf; 0 when it has no time."""
    return max(_message_times(item), default=0)


def _json_times(node: Any) -> Iterator[int]:
    if isinstance(node, list):
        for child in node:
            yield from _json_times(child)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key.endswith(_JSON_TIME_SUFFIX):
                yield json_time_ns(value) or 0
            elif key not in _JSON_OPAQUE and key not in _DETAILS:
                yield from _json_times(value)


def _message_times(message: Message) -> Iterator[int]:
    for field, value in message.ListFields():
        if field.name.endswith(_TIME_SUFFIX):
            yield value
        elif field.name not in _OPAQUE | _DETAILS and field.message_type is not None:
            for child in _messages(value):
                yield from _message_times(child)


def _messages(value: Any) -> Any:
    return [value] if isinstance(value, Message) else value
