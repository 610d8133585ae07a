"""`spandeck doctor`: what people read, what programs read, and the exit code."""

import csv
import io
import json

import pytest

from spandeck_collector.cli.doctor import report
from tests.support.stack import Stack
from tests.support.waiting import eventually

HOSTILE = "sh\x1b[2Jop"


def send_call(stack: Stack, service: str, number: int, **attributes: int) -> None:
    """Send one model call of a service, and wait until it is stored."""
    told = attributes or {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
    values = [{"key": name, "value": {"intValue": str(value)}} for name, value in told.items()]
    texts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    values += [{"key": name, "value": {"stringValue": value}} for name, value in texts.items()]
    span = {
        "traceId": f"d0c{number:029x}",
        "spanId": f"d0c{number:013x}",
        "name": "chat",
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000000500000000",
        "attributes": values,
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    scopes = [{"scope": {"name": "acme.llm"}, "spans": [span]}]
    file = stack.folder / f"call-{number}.jsonl"
    file.write_text(json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}), encoding="utf-8")
    assert stack.run("replay", file, "--at", "original").returncode == 0
    eventually(lambda: bool(stack.rows("select 1 from spans where trace_id = ?", span["traceId"])))


@pytest.mark.integration
def test_a_service_in_order_ends_with_code_0(stack: Stack) -> None:
    send_call(stack, "in-order", 1)
    result = stack.run("doctor", "--service", "in-order")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "Nothing found: what came within the last day is in order.\n"


@pytest.mark.integration
def test_an_error_is_shown_with_its_fix_and_ends_with_code_1(stack: Stack) -> None:
    send_call(stack, "no-tokens", 2, **{"gen_ai.request.max_tokens": 7})
    result = stack.run("doctor", "--service", "no-tokens")
    assert (result.returncode, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "no-tokens"
    assert lines[1] == (
        "  error   no_usage: 1 of 1 successful model calls of acme.llm tell no tokens: their cost is unknown."
    )
    assert lines[2] == f"          e.g. trace d0c{2:029x}, span d0c{2:013x}"
    assert lines[3].startswith("          fix: span.set_attribute(")

    as_json = stack.run("doctor", "--service", "no-tokens", "--format", "json")
    as_csv = stack.run("doctor", "--service", "no-tokens", "--format", "csv")
    assert (as_json.returncode, as_csv.returncode) == (1, 1)
    (found,) = json.loads(as_json.stdout)
    (row,) = csv.DictReader(io.StringIO(as_csv.stdout))
    assert (found["finding"], found["severity"], found["affected_ratio"]) == ("no_usage", "error", 1.0)
    assert row["fix"] == found["fix"]
    assert stack.run("doctor").returncode == 1


@pytest.mark.unit
def test_the_report_is_by_service_and_harmless() -> None:
    finding = {
        "service": HOSTILE,
        "finding": "clock_skew",
        "severity": "warning",
        "example_trace_id": "a",
        "example_span_id": "b",
        "message": HOSTILE,
        "fix": "set the clock",
    }
    text = report([finding, finding, {**finding, "service": None}])
    assert "\x1b" not in text
    assert text.count("clock_skew") == 3
    assert [line for line in text.splitlines() if line and line[0] != " "] == [
        "sh\N{REPLACEMENT CHARACTER}[2Jop",
        "no service.name",
    ]
