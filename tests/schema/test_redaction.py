"""Secrets never reach a row: attributes, status, events, links, content, logs, metrics and resources."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandeck_collector.journal import Signal
from spandeck_collector.redaction import REDACTED, redacted_bodies, redacted_text
from spandeck_collector.store.redactor import suspect_texts
from tests.secret_samples import NAMED, PREFIXED, PROSE

from . import otlp
from .sandbox import Sandbox

KEY = PREFIXED[7]
CANARY = "canary-4242"


def _tables(sandbox: Sandbox) -> str:
    names = sandbox.rows("select table_name from information_schema.tables where table_schema = 'store'")
    return "".join(str(sandbox.rows(f"from store.{row['table_name']}")) for row in names)


@pytest.mark.integration
def test_no_row_of_any_table_has_a_secret(sandbox: Sandbox) -> None:
    words: dict[str, Any] = {
        "id": 1,
        "name": f"call {KEY}",
        "status": "ERROR",
        "message": f"401 for {KEY}",
        "attributes": {
            "http.request.header.authorization": [f"Basic {CANARY}"],
            "api_key": CANARY,
            "cookie": {"a": CANARY},
            "client_secret": CANARY.encode(),
            "url.full": f"https://u:{CANARY}@host/?access_token={CANARY}",
            "blob": f"raw {KEY}".encode(),
            "nested": {"headers": {"set-cookie": f"s={CANARY}", "fine": "kept"}},
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "acme-1",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.input.messages": '[{"role": "user", "content": "' + "word " * 900 + f'{KEY} end"}}]',
            f"weird {KEY}": "x",
        },
        "events": [{"name": "exception", "attributes": {"exception.message": f"bad {KEY}", "password": CANARY}}],
        "resource": {"process.command_line": f"agent --api-key={CANARY} {KEY}"},
    }
    sandbox.spans(words)
    record = {"body": {"authorization": CANARY, "said": f"key {KEY}"}, "attributes": {"cookie": CANARY}}
    sandbox.take((Signal.LOGS, otlp.logs([record, {"body": f"Authorization: Bearer {CANARY}"}])))
    sandbox.take((Signal.METRICS, otlp.metrics([{"name": "m", "value": 1, "attributes": {"api_key": CANARY}}])))
    stored = _tables(sandbox)
    assert KEY not in stored
    assert CANARY not in stored
    assert stored.count(REDACTED) > 12
    span = sandbox.row("select input_tokens, attributes['nested'] as nested from spans")
    assert span["input_tokens"] == 7
    assert '"fine": "kept"' in span["nested"]


@pytest.mark.integration
def test_a_resend_of_a_log_with_a_secret_is_known(sandbox: Sandbox) -> None:
    body = otlp.logs([{"body": f"key {KEY}"}])
    for _ in range(2):
        sandbox.take((Signal.LOGS, body))
    assert sandbox.row("select count(*) as n from log_records") == {"n": 1}


@pytest.mark.unit
def test_an_export_without_secrets_is_left_as_it_is() -> None:
    exports = [(Signal.TRACES, otlp.traces([{"id": 1, "attributes": {"text": text}}])) for text in PROSE]
    damaged = (Signal.TRACES, b"\xff")
    refusals = (Signal.REFUSALS, b"{}")
    assert redacted_bodies([*exports, damaged, refusals]) == [body for _, body in [*exports, damaged, refusals]]


@pytest.mark.unit
def test_only_the_export_that_holds_a_secret_changes() -> None:
    clean, dirty = (otlp.traces([{"id": 1, "attributes": {"text": text}}]) for text in ("plain words", f"a {KEY}"))
    for suspects in ({}, {"suspects": suspect_texts}):
        first, second = redacted_bodies([(Signal.TRACES, clean), (Signal.TRACES, dirty)], **suspects)
        assert first == clean
        (resource,) = ExportTraceServiceRequest.FromString(second).resource_spans
        assert resource.scope_spans[0].spans[0].attributes[0].value.string_value == f"a {REDACTED}"


_TEXTS = st.lists(st.sampled_from([*PREFIXED, *(text for text, _ in NAMED), *PROSE, " ", "\n", '"']), max_size=5)


@pytest.mark.unit
@given(_TEXTS.map("".join))
def test_redacting_again_changes_nothing(text: str) -> None:
    once = redacted_text(text)
    assert redacted_text(once) == once
