"""Takes secrets out of OTLP requests, as bytes in and bytes out; what has none comes back as it is.

Used by the store before it reads a record, and, by a setting, by the receiver before the journal has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spandeck_collector.journal_format import Signal
from spandeck_collector.wire import parse
from spandeck_schema.secrets import is_secret_name, named_values_in, secrets_in

REDACTED: Final = "[REDACTED]"
_REQUESTS: Final[dict[Signal, type[Message]]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
_SHORTEST: Final = 8
_MOST_ROUNDS: Final = 8
_LONG_NAME: Final = 200

Suspects = Callable[[Sequence[str]], Iterable[int]]
"""Which of these texts may hold a secret, by their index; it may name too many."""


def every_text(texts: Sequence[str]) -> Iterable[int]:
    """All may: for where there is no cheaper look."""
    return range(len(texts))


def redacted_text(text: str) -> str:
    """`text` with `[REDACTED]` in place of each secret; applied again, it changes nothing more."""
    for _ in range(_MOST_ROUNDS):
        # A secret that stood at the end of another one is seen when that is gone.
        before, text = text, _redacted_once(text)
        if text == before:
            break
    return text


def _redacted_once(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in sorted([*secrets_in(text), *named_values_in(text)]):
        if start >= at:
            pieces += text[at:start], REDACTED
        at = max(at, end)
    return "".join(pieces) + text[at:]


def redacted_bodies(exports: Sequence[tuple[Signal, bytes]], suspects: Suspects = every_text) -> list[bytes]:
    """Export requests without secrets: in names, attributes, status, events, links, logs, points and resources.

    A body that cannot be parsed comes back as it is, for others to judge, and so does one of another signal.
    """
    found = _Texts()
    requests: list[Message | None] = []
    for number, (signal, body) in enumerate(exports):
        found.owner = number
        requests.append(_parsed(signal, body))
        if (request := requests[-1]) is not None:
            found.look_into(request)
    for index in suspects(found.texts):
        found.redact(index)
    return [
        body if request is None or number not in found.changed else request.SerializeToString()
        for number, (request, (_, body)) in enumerate(zip(requests, exports, strict=True))
    ]


def _parsed(signal: Signal, body: bytes) -> Message | None:
    try:
        return parse(_REQUESTS[signal], body)
    except (DecodeError, KeyError):
        return None


@dataclass
class _Texts:
    """All texts of messages, each with its place: the owner's number, and a field of a message or an item of a list.

    `changed` has the owners that held a secret.
    """

    texts: list[str] = field(default_factory=list)
    places: list[tuple[int, Any, str | int]] = field(default_factory=list)
    owner: int = 0
    changed: set[int] = field(default_factory=set)

    def look_into(self, message: Message) -> None:
        """Collect what the message holds, at any depth; what stands under a telling name is replaced at once."""
        if isinstance(message, KeyValue):
            self._attribute(message)
            return
        if isinstance(message, AnyValue):
            self._value(message)
            return
        for descriptor, value in message.ListFields():
            if descriptor.type == FieldDescriptor.TYPE_MESSAGE:
                for each in value if descriptor.is_repeated else (value,):
                    self.look_into(each)
            elif descriptor.type == FieldDescriptor.TYPE_STRING:
                if descriptor.is_repeated:
                    for index, text in enumerate(value):
                        self._text(text, value, index)
                else:
                    self._text(value, message, descriptor.name)

    def redact(self, index: int) -> None:
        """Replace the secrets in the text at this index."""
        clean = redacted_text(self.texts[index])
        if clean == self.texts[index]:
            return
        owner, holder, place = self.places[index]
        self.changed.add(owner)
        if isinstance(place, int):
            holder[place] = clean
        elif place == "bytes_value":
            holder.bytes_value = clean.encode("latin-1")
        else:
            setattr(holder, place, clean)

    def _attribute(self, attribute: KeyValue) -> None:
        key = attribute.key
        if _is_secret_name(key) if len(key) < _LONG_NAME else is_secret_name(key):
            if attribute.value.WhichOneof("value") not in (None, "bool_value"):
                if attribute.value.string_value != REDACTED:
                    self.changed.add(self.owner)
                attribute.value.string_value = REDACTED
            return
        self._text(key, attribute, "key")
        self._value(attribute.value)

    def _value(self, value: AnyValue) -> None:
        kind = value.WhichOneof("value")
        if kind == "string_value":
            self._text(value.string_value, value, kind)
        elif kind == "array_value":
            for each in value.array_value.values:
                self._value(each)
        elif kind == "kvlist_value":
            for member in value.kvlist_value.values:
                self._attribute(member)
        elif kind == "bytes_value":
            self._text(value.bytes_value.decode("latin-1"), value, kind)

    def _text(self, text: str, holder: Any, place: str | int) -> None:
        if len(text) >= _SHORTEST:
            self.texts.append(text)
            self.places.append((self.owner, holder, place))


_is_secret_name = lru_cache(maxsize=20_000)(is_secret_name)
