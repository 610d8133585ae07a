"""A real OTLP/HTTP endpoint: decodes what it is sent, answers as it is told, or never answers."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

DEADLINE_S = 20.0


@dataclass(frozen=True)
class SeenSpan:
    """A span as it came over the wire; attribute lists are tuples, times Unix nanoseconds."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str | None
    started_ns: int
    ended_ns: int
    status: str
    message: str
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[tuple[str, str]]
    resource: dict[str, Any]

    @classmethod
    def decode(cls, span: Span, resource: dict[str, Any]) -> "SeenSpan":
        return cls(
            span.name,
            Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex() or None,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
            span.status.message,
            _plain(span.attributes),
            [(event.name, _plain(event.attributes)) for event in span.events],
            [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
            resource,
        )


@dataclass(frozen=True)
class SeenEvent:
    """A log record as it came over the wire; ids in hex, "" where there is none."""

    name: str
    trace_id: str
    span_id: str
    at_ns: int
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass
class Sink:
    """What arrived so far, and how to answer: `statuses` first, one each, then `status`; or silence."""

    endpoint: str = ""
    status: int = 200
    statuses: list[int] = field(default_factory=list)
    rejected_count: int = 0
    silent: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    spans: list[SeenSpan] = field(default_factory=list)
    events: list[SeenEvent] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def span(self, name: str) -> SeenSpan:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def event(self, name: str) -> SeenEvent:
        """The one event of this name."""
        (found,) = [event for event in self.events if event.name == name]
        return found

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until `condition` holds; fails after `DEADLINE_S`."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"not reached with {len(self.spans)} spans"
            time.sleep(0.01)

    def take(self, path: str, body: bytes) -> bytes:
        """Keep the spans or events of an accepted request; the OTLP answer."""
        if path.endswith("/v1/logs"):
            self._take_events(body)
            return b""
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _plain(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                self.spans.extend(SeenSpan.decode(span, resource) for span in scope_spans.spans)
        answer = ExportTraceServiceResponse()
        if self.rejected_count:
            answer.partial_success.rejected_spans = self.rejected_count
        return answer.SerializeToString()

    def _take_events(self, body: bytes) -> None:
        for resource_logs in ExportLogsServiceRequest.FromString(body).resource_logs:
            resource = _plain(resource_logs.resource.attributes)
            for scope_logs in resource_logs.scope_logs:
                self.events.extend(
                    SeenEvent(
                        record.event_name,
                        record.trace_id.hex(),
                        record.span_id.hex(),
                        record.time_unix_nano,
                        _plain(record.attributes),
                        resource,
                    )
                    for record in scope_logs.log_records
                )


def start(sink: Sink) -> ThreadingHTTPServer:
    """Serve `sink` on an ephemeral loopback port in a thread; the caller shuts it down."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.requests.append(dict(self.headers.items()))
            sink.paths.append(self.path)
            if sink.silent:
                sink.released.wait(DEADLINE_S)
                return
            status = sink.statuses.pop(0) if sink.statuses else sink.status
            answer = sink.take(self.path, body) if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Keep stderr for what the client says."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    sink.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    return server


def _plain(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(_value(item) for item in value.array_value.values)
    return None if kind is None else getattr(value, kind)
