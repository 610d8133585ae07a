"""One recorded OTLP request, in the encoding it was recorded in: what is in it, and how to move or merge it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from google.protobuf.message import Message

from spandeck_collector.receiver.otlp_signals import LOGS, METRICS, TRACES, OtlpSignal
from spandeck_collector.shifting import Shift, camel_case, latest_json_ns, latest_message_ns

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """How the requests of a signal nest: `fields` lead from a request to its items, in protobuf's spelling."""

    signal: OtlpSignal
    fields: tuple[str, str, str]
    rejected_field: str

    @property
    def json_key(self) -> str:
        """The one key that every JSON request of this signal has."""
        return camel_case(self.fields[0])


TRACE_LAYOUT = Layout(TRACES, ("resource_spans", "scope_spans", "spans"), "rejected_spans")
LOG_LAYOUT = Layout(LOGS, ("resource_logs", "scope_logs", "log_records"), "rejected_log_records")
METRIC_LAYOUT = Layout(METRICS, ("resource_metrics", "scope_metrics", "metrics"), "rejected_data_points")
LAYOUTS = (TRACE_LAYOUT, LOG_LAYOUT, METRIC_LAYOUT)


@dataclass
class Parcel(ABC):
    """One request of the recording of this name; its items are spans, log records or metrics."""

    layout: Layout
    recording: str
    content_type: ClassVar[str]

    @property
    def item_count(self) -> int:
        """How many spans, log records or metrics it holds."""
        return sum(1 for _ in self._items())

    @property
    def latest_ns(self) -> int:
        """The last moment of its items, Unix nanoseconds; 0 when none has a time."""
        return max(map(self._latest_ns, self._items()), default=0)

    @property
    def span_count(self) -> int:
        """How many spans it holds: 0 for logs and metrics."""
        return self.item_count if self.layout is TRACE_LAYOUT else 0

    def trace_ids(self) -> Iterator[str]:
        """The trace id of each span, as hex."""
        if self.layout is TRACE_LAYOUT:
            yield from map(self._trace_id, self._items())

    @abstractmethod
    def shift(self, shift: Shift) -> None:
        """Move it in time and give it new ids."""

    @abstractmethod
    def absorb(self, other: Self) -> None:
        """Take in the items of another parcel of the same layout and class."""

    @abstractmethod
    def body(self) -> bytes:
        """The bytes to post."""

    @abstractmethod
    def _items(self) -> Iterator[Any]: ...

    @abstractmethod
    def _latest_ns(self, item: Any) -> int: ...

    @abstractmethod
    def _trace_id(self, item: Any) -> str: ...


@dataclass
class JsonParcel(Parcel):
    """A request in OTLP/JSON; what is not shaped as OTLP is passed over and left to the collector to judge."""

    request: JsonObject
    content_type: ClassVar[str] = "application/json"

    def shift(self, shift: Shift) -> None:
        """Move it in time and give it new ids."""
        shift.apply_to_json(self.request)

    def absorb(self, other: Self) -> None:
        """Take in the items of another parcel of the same layout and class."""
        key = self.layout.json_key
        self.request[key].extend(other.request[key])

    def body(self) -> bytes:
        """The bytes to post."""
        return json.dumps(self.request, separators=(",", ":"), ensure_ascii=False).encode()

    def _items(self) -> Iterator[JsonObject]:
        nodes = [self.request]
        for field in self.layout.fields:
            children = [node.get(camel_case(field)) for node in nodes]
            lists = [child for child in children if isinstance(child, list)]
            nodes = [node for each in lists for node in each if isinstance(node, dict)]
        yield from nodes

    def _latest_ns(self, item: Any) -> int:
        return latest_json_ns(item)

    def _trace_id(self, item: Any) -> str:
        return str(item.get("traceId", "")).lower()


@dataclass
class ProtobufParcel(Parcel):
    """A request in protobuf."""

    request: Any
    content_type: ClassVar[str] = "application/x-protobuf"

    def shift(self, shift: Shift) -> None:
        """Move it in time and give it new ids."""
        shift.apply_to_message(self.request)

    def absorb(self, other: Self) -> None:
        """Take in the items of another parcel of the same layout and class."""
        self.request.MergeFrom(other.request)

    def body(self) -> bytes:
        """The bytes to post."""
        return bytes(self.request.SerializeToString())

    def _items(self) -> Iterator[Message]:
        nodes: list[Any] = [self.request]
        for field in self.layout.fields:
            nodes = [child for node in nodes for child in getattr(node, field)]
        yield from nodes

    def _latest_ns(self, item: Any) -> int:
        return latest_message_ns(item)

    def _trace_id(self, item: Any) -> str:
        return str(item.trace_id.hex())
