"""What stock exporters send is what `spandeck sql` shows: ids, names, parents, attributes, times, status."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from tests.support.stack import Stack
from tests.support.waiting import eventually
from tests.support.web import JSON

pytestmark = pytest.mark.integration

_RECORDED = Path(__file__).parent / "recorded" / "vercel_ai_stream.json"
_CONTENT_SQL = """
    select span_content.span_id, span_content.name, span_content.content
    from span_content
    inner join spans on span_content.trace_id = spans.trace_id and span_content.span_id = spans.span_id
    where spans.service = ?
"""
_SQL = """
select
    trace_id, span_id, parent_span_id, name, otel_kind, otel_status,
    epoch_us(started_at) as started_us, epoch_us(ended_at) as ended_us,
    attributes, resource['service.name'] as service
from spans
where service = ?
"""
_JSON_KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_JSON_STATUSES = {0: "UNSET", 1: "OK", 2: "ERROR"}

Row = dict[str, Any]


def _http(stack: Stack) -> SpanExporter:
    return HttpExporter(endpoint=f"{stack.receiver_url}/v1/traces")


def _http_gzip(stack: Stack) -> SpanExporter:
    return HttpExporter(endpoint=f"{stack.receiver_url}/v1/traces", compression=Compression.Gzip)


def _grpc(stack: Stack) -> SpanExporter:
    return GrpcExporter(endpoint=f"http://127.0.0.1:{stack.settings.grpc_port}", insecure=True)


@pytest.mark.parametrize(
    ("service", "exporter"),
    [("python-http", _http), ("python-http-gzip", _http_gzip), ("python-grpc", _grpc)],
)
def test_python_exporter_spans_are_shown_as_they_were_made(
    stack: Stack, service: str, exporter: Callable[[Stack], SpanExporter]
) -> None:
    made = _make_spans(service, exporter(stack))
    assert _shown(stack, service, len(made)) == sorted((_expected(span) for span in made), key=_span_id)


@pytest.mark.parametrize("packed", [False, True], ids=["identity", "gzip"])
def test_recorded_body_of_the_javascript_exporter_is_shown_as_it_was_sent(stack: Stack, packed: bool) -> None:
    service = f"js-{'gzip' if packed else 'identity'}"
    request = json.loads(_RECORDED.read_text(encoding="utf-8"))
    _rename(request, service)
    body = json.dumps(request).encode()
    more = {"Content_Encoding": "gzip"} if packed else {}
    answer = stack.post(gzip.compress(body) if packed else body, JSON, **more)
    assert (answer.status, answer.headers.get_content_type()) == (200, JSON)
    sent = [_expected_of_json(span, service) for span in _spans(request)]
    assert _shown(stack, service, len(sent)) == sorted(sent, key=_span_id)


def _make_spans(service: str, exporter: SpanExporter) -> Sequence[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("end-to-end", "1.0")
    with tracer.start_as_current_span("invoke_agent planner", kind=SpanKind.SERVER):
        for number in range(20):
            with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as chat:
                chat.set_attributes({"text": "Grüße 👋\n", "count": number, "share": 0.25, "flag": number % 2 == 0})
                chat.set_attributes({"words": ["a", "b"], "numbers": [1, 2], "empty": "", "big": 2**62})
                chat.add_event("gen_ai.first_token")
                chat.set_status(StatusCode.OK)
        with (
            pytest.raises(LookupError),
            tracer.start_as_current_span("execute_tool search", kind=SpanKind.INTERNAL),
        ):
            raise LookupError("nothing found")
    assert provider.force_flush()
    provider.shutdown()
    return kept.get_finished_spans()


def _shown(stack: Stack, service: str, count: int) -> list[Row]:
    """The spans of a service as the views tell them, content among its attributes again."""
    eventually(
        lambda: stack.rows("select count(*) from spans where service = ?", service)[0][0] >= count,
        f"{count} spans of {service}",
    )
    result = stack.run("sql", "--format", "json", "--param", service, _SQL)
    assert result.returncode == 0, result.stderr
    rows: list[Row] = json.loads(result.stdout)
    for span_id, name, content in stack.rows(_CONTENT_SQL, service):
        next(row for row in rows if row["span_id"] == span_id)["attributes"][name] = content
    return sorted(rows, key=_span_id)


def _expected(span: ReadableSpan) -> Row:
    assert span.context
    assert span.start_time
    assert span.end_time
    return {
        "trace_id": format_trace_id(span.context.trace_id),
        "span_id": format_span_id(span.context.span_id),
        "parent_span_id": format_span_id(span.parent.span_id) if span.parent else None,
        "name": span.name,
        "otel_kind": span.kind.name,
        "otel_status": span.status.status_code.name,
        "started_us": span.start_time // 1000,
        "ended_us": span.end_time // 1000,
        "attributes": {key: _text(value) for key, value in (span.attributes or {}).items()},
        "service": span.resource.attributes["service.name"],
    }


def _expected_of_json(span: Row, service: str) -> Row:
    return {
        "trace_id": span["traceId"],
        "span_id": span["spanId"],
        "parent_span_id": span.get("parentSpanId"),
        "name": span["name"],
        "otel_kind": _JSON_KINDS[span["kind"]],
        "otel_status": _JSON_STATUSES[span["status"]["code"]],
        "started_us": int(span["startTimeUnixNano"]) // 1000,
        "ended_us": int(span["endTimeUnixNano"]) // 1000,
        "attributes": {each["key"]: _text(_plain(each["value"])) for each in span["attributes"]},
        "service": service,
    }


def _spans(request: Row) -> list[Row]:
    return [
        span for resource in request["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]
    ]


def _rename(request: Row, service: str) -> None:
    """Give the spans a service and trace ids of this test alone."""
    for resource in request["resourceSpans"]:
        for attribute in resource["resource"]["attributes"]:
            if attribute["key"] == "service.name":
                attribute["value"] = {"stringValue": service}
    for span in _spans(request):
        span["traceId"] = span["traceId"][:-4] + service.encode().hex()[-4:]


def _plain(value: Mapping[str, Any]) -> Any:
    """The value in an OTLP/JSON AnyValue; integers may come as texts."""
    ((kind, content),) = value.items()
    if kind == "arrayValue":
        return [_plain(item) for item in content.get("values", [])]
    return int(content) if kind == "intValue" else content


def _text(value: Any) -> str:
    """A value as the attribute maps hold it."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(list(value)) if isinstance(value, list | tuple) else str(value)


def _span_id(row: Row) -> str:
    span_id: str = row["span_id"]
    return span_id
