"""The page before the first span: how to point an exporter here, and what has arrived so far."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.cards import card
from spandeck_dashboard.components.facts import Fact, fact_strip
from spandeck_dashboard.queries import CollectorDown, QueryRefused, ask_one, config
from spandeck_dashboard.samples import SAMPLES

_LOOK_AGAIN_S = 2

_ENVIRONMENT = """\
export OTEL_EXPORTER_OTLP_ENDPOINT={http}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_SERVICE_NAME=my-agent"""
_PYTHON = """\
# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
exporter = OTLPSpanExporter("{http}/v1/traces")
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)

with trace.get_tracer("my-agent").start_as_current_span("hello"):
    pass
provider.shutdown()"""
_JAVASCRIPT = """\
// npm install @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto
import {{ NodeSDK }} from "@opentelemetry/sdk-node";
import {{ OTLPTraceExporter }} from "@opentelemetry/exporter-trace-otlp-proto";

const sdk = new NodeSDK({{
  serviceName: "my-agent",
  traceExporter: new OTLPTraceExporter({{ url: "{http}/v1/traces" }}),
}});
sdk.start();"""


def draw() -> None:
    """Snippets with the real addresses on the left, live counts on the right."""
    http, grpc = config().url(config().http_port), config().url(config().grpc_port)
    left, right = st.columns([1.7, 1], gap="small")
    with left, card("exporter", "Point your exporter here", "any OpenTelemetry SDK, any framework"):
        python, javascript, environment = st.tabs(["Python", "JavaScript", "Environment variables"])
        python.code(_PYTHON.format(http=http), language="python")
        javascript.code(_JAVASCRIPT.format(http=http), language="javascript")
        environment.code(_ENVIRONMENT.format(http=http), language="bash")
        st.text(f"OTLP over HTTP (protobuf or JSON, gzip): {http}\nOTLP over gRPC: {grpc}")
    with right:
        with card("arrivals", "Waiting for the first span"):
            _arrivals()
        with card("hints", "Nothing comes?"):
            st.text(
                "Batch exporters wait about 5 s before they send. A script that ends sooner must call "
                "shutdown() or force_flush()."
            )
            st.text("To try the way without an agent of your own:")
            st.code("spandeck send-test", language="bash")
        with card("samples", "Just looking?"):
            st.text("About 400 sample traces of five services, with failures, slow answers and one dear request.")
            st.button(
                "Load sample traces",
                key="load-samples",
                icon=":material/science:",
                on_click=SAMPLES.start,
                disabled=SAMPLES.is_running,
                type="primary",
            )
            if SAMPLES.failure():
                st.code(SAMPLES.failure(), language=None, wrap_lines=True)


@st.fragment(run_every=_LOOK_AGAIN_S)
def _arrivals() -> None:
    now = datetime.now(UTC)
    try:
        health = ask_one("ingest_health", now=now)
        extent = ask_one("extent", since=now, until=now)
    except (CollectorDown, QueryRefused):
        st.text("The collector does not answer yet.")
        return
    if extent.get("span_count"):
        st.rerun()
    facts = [
        Fact("Received", formats.whole(health["received_count"])),
        Fact("Stored", formats.whole(health["stored_count"])),
        Fact("Refused", formats.whole(health["refused_count"]), bad=bool(health["refused_count"])),
    ]
    fact_strip(facts, key="arrival-counts")
    if health["last_refusal_reason"]:
        st.text(f"Last refusal, {formats.ago(health['last_refused_age_s'])}:")
        st.code(str(health["last_refusal_reason"]), language=None, wrap_lines=True)
