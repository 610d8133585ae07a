"""Very many senders, names and requests at once."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.schema import otlp
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually
from tests.support.web import PROTOBUF, ask, export

from .senders import one_request

pytestmark = pytest.mark.integration
_NAMES = 10_000


def test_a_hundred_exporters_at_once_are_all_acknowledged_and_stored(stack: Stack) -> None:
    first, each = 100, 10

    def _export(sender: int) -> list[int | None]:
        return [export(stack.settings.http_port, one_request(first + sender, number)) for number in range(1, each + 1)]

    with ThreadPoolExecutor(100) as exporters:
        statuses = Counter(status for answers in exporters.map(_export, range(100)) for status in answers)
    assert statuses == {200: 100 * each}
    sql = "select count(*), count(distinct service) from traces where service like 'sender-1__'"
    eventually(lambda: stack.rows(sql) == [[100 * each, 100]])


@pytest.mark.chaos
def test_ten_thousand_services_models_and_tools_are_stored_within_the_memory_limit(tmp_path: Path) -> None:
    with ready_stack(tmp_path, "up", "--no-ui", memory_limit="512MB") as stack:
        for start in range(0, _NAMES, 1_000):
            assert stack.post(_distinct(range(start + 1, start + 1_001)), PROTOBUF).status == 200
        eventually(lambda: stack.span_count() == _NAMES, stack.stderr)
        names = "select count(distinct service), count(distinct request_model), count(distinct tool_name) from spans"
        assert stack.rows(names) == [[_NAMES, _NAMES // 2, _NAMES // 2]]
        assert stack.rows("select count(*) from ingest_health") == [[_NAMES]]
        peak = _peak_bytes(stack.children()["store"])
        assert peak < 1_500 << 20, peak


def _distinct(numbers: range) -> bytes:
    def _span(number: int) -> dict[str, Any]:
        told = {"gen_ai.request.model": f"model-{number}"} if number % 2 else {"gen_ai.tool.name": f"tool-{number}"}
        operation = {"gen_ai.operation.name": "chat" if number % 2 else "execute_tool"}
        return {"trace": number, "id": number, "service": f"service-{number}", "attributes": told | operation}

    return otlp.traces([_span(number) for number in numbers])


def _peak_bytes(process_id: int) -> int:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def test_odd_numbers_stay_out_of_the_sums(stack: Stack) -> None:
    """NaN, infinite, negative and huge costs and tokens: sums stay finite, and JSON can carry every row."""
    odd: list[float | int | str] = [
        float("nan"),
        float("inf"),
        float("-inf"),
        -1.0,
        1e308,
        "NaN",
        -5,
        2**63 - 1,
        "1e999",
    ]
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cost", "llm.usage.total_cost")
    spans = [
        {"trace": 900_000 + place, "id": 1, "service": "odd", "attributes": call | dict.fromkeys(names, value)}
        for place, value in enumerate(odd)
    ]
    assert stack.post(otlp.traces(spans), PROTOBUF).status == 200
    eventually(lambda: stack.rows("select count(*) from spans where service = 'odd'") == [[len(odd)]])
    sums = "select sum(cost_usd), sum(input_tokens), sum(output_tokens), sum(reported_cost_usd) from llm_calls"
    for table in ("llm_calls", "traces", "cost_by_model", "cost_by_day"):
        assert stack.rows(f"from {table}")
    (row,) = stack.rows(f"{sums} where trace_id in (select trace_id from traces where service = 'odd')")
    assert all(value is None or abs(value) < float("inf") for value in row), row
    body = json.dumps({"sql": "from llm_calls"}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    assert "NaN" not in ask(stack.settings.query_port, "/query", body, headers).body.decode()
