"""The scenarios of a manifest: request bodies as they came over the wire, and what is true of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

EXPORTS = Path(__file__).parent.parent / "exports"
"""The recorded bodies and their manifest."""


@dataclass(frozen=True)
class Export:
    """One request body; `signal` is traces or logs, `media_type` and `encoding` are its HTTP headers."""

    path: Path
    signal: str
    media_type: str
    encoding: str

    @property
    def body(self) -> bytes:
        """The bytes as they were sent."""
        return self.path.read_bytes()

    @property
    def plain(self) -> bytes:
        """The bytes without the content encoding."""
        return gzip.decompress(self.body) if self.encoding == "gzip" else self.body

    def headers(self) -> dict[str, str]:
        """What to send with `body`; a body that came over gRPC goes as protobuf over HTTP."""
        headers = {"Content-Type": self.media_type}
        return headers if self.encoding == "identity" else headers | {"Content-Encoding": self.encoding}

    def trace_ids(self) -> set[str]:
        """The traces in it, as 32 hex digits; none in a body of logs."""
        if self.signal != "traces":
            return set()
        if self.media_type == "application/json":
            return {span["traceId"].lower() for span in _json_spans(json.loads(self.plain))}
        request = ExportTraceServiceRequest.FromString(self.plain)
        spans = (span for part in request.resource_spans for scope in part.scope_spans for span in scope.spans)
        return {span.trace_id.hex() for span in spans}


@dataclass(frozen=True)
class Scenario:
    """One entry of the manifest: its exports in the order in which they arrived, and the truths."""

    name: str
    exports: tuple[Export, ...]
    expected: dict[str, Any]

    def trace_ids(self) -> set[str]:
        """The traces of all its exports."""
        return set().union(*(export.trace_ids() for export in self.exports))


def load(folder: Path = EXPORTS, prefix: str = "") -> list[Scenario]:
    """The scenarios of `folder` whose names begin with `prefix`.

    Raises `OSError` without a readable manifest.json, `ValueError` or `KeyError` when it is none.
    """
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [
        Scenario(entry["case"], tuple(_export(folder, file) for file in entry["files"]), entry["expected"])
        for entry in entries
        if entry["case"].startswith(prefix)
    ]


def _export(folder: Path, file: dict[str, str]) -> Export:
    media_type = file["content_type"]
    if media_type == "application/grpc":
        media_type = "application/x-protobuf"
    return Export(folder / file["file"], file["signal"], media_type, file["encoding"] or "identity")


def _json_spans(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in request.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            yield from scope.get("spans", [])
