"""Takes prompts, answers, arguments and results out of spans, events and log records into rows of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spandeck_collector.store.content_parts import WHOLE_BYTES, KnownParts, content_hash, shorten, split
from spandeck_collector.store.values import plain_value, value_text
from spandeck_schema.content import EventContent, Place, load_content

MOST_CONTENT_BYTES = 32_768
"""What is kept of one content value unless a setting says otherwise."""

_TEXT = pa.string()
_TIME = pa.timestamp("us")
_COLUMNS = (
    ("arrival", pa.int64()),
    ("trace_id", _TEXT),
    ("span_id", _TEXT),
    ("received_at", _TIME),
    ("received_hour", _TIME),
    ("origin", _TEXT),
    ("name", _TEXT),
    ("side", _TEXT),
    ("occurred_at", _TIME),
    ("content_bytes", pa.int64()),
    ("content_hash", _TEXT),
    ("part_hashes", pa.list_(_TEXT)),
    ("is_cut", pa.bool_()),
)
_RULES = load_content()
_MOST_REMEMBERED = 20_000
_LONG_NAME = 200

Texts = dict[str, str | None]


class Owner(NamedTuple):
    """Whose content it is: the span's row in the batch (None for a log record), its ids, when it was received."""

    arrival: int | None
    trace_id: str | None
    span_id: str | None
    received_us: int
    hour_us: int


class _Places(dict[str, Place | None]):
    """The place of every attribute name met so far; names are hostile, so only so many are remembered."""

    def __missing__(self, name: str) -> Place | None:
        place = _RULES.place(name)
        if len(self) < _MOST_REMEMBERED and len(name) < _LONG_NAME:
            self[name] = place
        return place


_PLACES = _Places()


@dataclass
class ContentKeeping:
    """How content is kept: at most `most_bytes` of a value (0: none), and which parts are stored already."""

    most_bytes: int = MOST_CONTENT_BYTES
    known: KnownParts = field(default_factory=KnownParts)


class Contents:
    """The content of a batch: a row a value, and the parts that must be stored with them."""

    def __init__(self, keeping: ContentKeeping) -> None:
        self._most_bytes = keeping.most_bytes
        self._known = keeping.known
        self._rows: list[tuple[Any, ...]] = []
        self._parts: dict[int, dict[str, str | bytes]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def take_from_attributes(
        self, owner: Owner, attributes: Texts, origin: str = "attribute", occurred_us: int | None = None
    ) -> Texts:
        """Take the content out of attributes; returns the attributes that stay."""
        found = [name for name in attributes if _PLACES[name]]
        if not found:
            return attributes
        kept = attributes.copy()
        families: dict[tuple[str, str], Texts] = {}
        for name in found:
            place, text = _PLACES[name], kept.pop(name)
            if place is None or text is None:
                continue
            if place.member is None:
                self._append(owner, origin, (name, place.side), text, occurred_us)
            else:
                families.setdefault((place.name, place.side), {})[place.member] = text
        for family, members in families.items():
            self._append(owner, origin, family, _family_text(members), occurred_us)
        return kept

    def take_from_log(
        self, owner: Owner, event_name: str, body: AnyValue, attributes: Texts, occurred_us: int
    ) -> tuple[str | None, Texts]:
        """Take the content out of a log record; returns the text of the body and the attributes that stay."""
        text, rule = value_text(body), _RULES.events.get(event_name)
        if rule is not None:
            fields, attributes = _fields(rule, attributes)
            if body.HasField("kvlist_value"):
                spoken, kept = _fields(rule, plain_value(body))
                fields, text = fields | spoken, json.dumps(kept, ensure_ascii=False) if kept else None
            elif text is not None and "body" in rule.fields:
                fields, text = fields | {"body": text}, None
            if fields:
                self.append_events(owner, rule, [(event_name, fields)], occurred_us, "log")
        return text, self.take_from_attributes(owner, attributes, "log", occurred_us)

    def append_events(
        self,
        owner: Owner,
        rule: EventContent,
        events: list[tuple[str, dict[str, Any]]],
        occurred_us: int,
        origin: str = "event",
    ) -> None:
        """Add the fields of events of one rule as one value; `occurred_us` is when the first occurred (Unix)."""
        told = [{"event": name, **fields} for name, fields in events]
        self._append(owner, origin, (rule.name, rule.side), json.dumps(told, ensure_ascii=False), occurred_us)

    def new_parts(self) -> Iterable[tuple[int, str]]:
        """Hour (Unix microseconds) and hash of the parts that are stored with the batch."""
        return ((hour_us, part_hash) for hour_us, parts in self._parts.items() for part_hash in parts)

    def table(self) -> pa.Table:
        """The rows as an Arrow table."""
        columns = list(zip(*self._rows, strict=True)) or [()] * len(_COLUMNS)
        return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(_COLUMNS, columns, strict=True)})

    def parts_table(self) -> pa.Table:
        """The parts that are not stored yet, as rows of `store.content_parts`."""
        hours = (hour_us for hour_us, parts in self._parts.items() for _ in parts)
        texts = (text for parts in self._parts.values() for text in parts.values())
        return pa.table(
            {
                "received_hour": pa.array(hours, _TIME),
                "hash": pa.array((part_hash for _, part_hash in self.new_parts()), _TEXT),
                "content": pa.array(texts, _TEXT),
            }
        )

    def _append(
        self, owner: Owner, origin: str, name_and_side: tuple[str, str], text: str, occurred_us: int | None
    ) -> None:
        data = text.encode()
        size, digest, hashes = len(data), content_hash(data), None
        if size <= WHOLE_BYTES and size <= self._most_bytes:
            self._store_part(owner.hour_us, digest, text)
        elif self._most_bytes:
            hashes = self._store_parts(owner.hour_us, data, digest)
        self._rows.append((*owner, origin, *name_and_side, occurred_us, size, digest, hashes, size > self._most_bytes))

    def _store_parts(self, hour_us: int, data: bytes, digest: str) -> list[str] | None:
        """Store what is new of a text; the hashes of its parts, None where it is its only part."""
        parts = split(data)
        if len(data) > self._most_bytes:
            parts = shorten(parts, self._most_bytes)
        elif len(parts) == 1:
            self._store_part(hour_us, digest, data)
            return None
        hashes = [content_hash(part) for part in parts]
        for part_hash, part in zip(hashes, parts, strict=True):
            self._store_part(hour_us, part_hash, part)
        return hashes

    def _store_part(self, hour_us: int, part_hash: str, part: str | bytes) -> None:
        parts = self._parts.setdefault(hour_us, {})
        if part_hash not in parts and not self._known.has(hour_us, part_hash):
            parts[part_hash] = part


class SpanEvents:
    """Gathers the content of one span's events: a conversation told event by event is one value a side."""

    def __init__(self, contents: Contents, owner: Owner) -> None:
        self._contents = contents
        self._owner = owner
        self._gathered: dict[str, tuple[EventContent, int, list[tuple[str, dict[str, Any]]]]] = {}

    def take(self, name: str, attributes: Texts, occurred_us: int) -> Texts:
        """Take the content out of an event; returns the attributes that stay."""
        rule = _RULES.events.get(name)
        if rule is not None:
            fields, attributes = _fields(rule, attributes)
            if fields:
                self._gathered.setdefault(rule.name, (rule, occurred_us, []))[2].append((name, fields))
        return self._contents.take_from_attributes(self._owner, attributes, "event", occurred_us)

    def close(self) -> None:
        """Add what was gathered."""
        for rule, occurred_us, events in self._gathered.values():
            self._contents.append_events(self._owner, rule, events, occurred_us)


def _fields(rule: EventContent, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that are content, and the values that stay."""
    taken = {name: value for name, value in values.items() if name in rule.fields and value is not None}
    return taken, {name: value for name, value in values.items() if name not in rule.fields}


def _family_text(members: Texts) -> str:
    """A list of one object an index, in order of the index; the keys are what follows the family's name."""
    groups: dict[str, Texts] = {}
    for member in sorted(members):
        groups.setdefault(member.partition(".")[0], {})[member] = members[member]
    ordered = sorted(groups, key=lambda index: (len(index), index))
    return json.dumps([groups[index] for index in ordered], ensure_ascii=False)
