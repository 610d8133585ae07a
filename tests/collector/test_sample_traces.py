"""The sample traces: written by a seed, valid OTLP/JSON, and true to what their names promise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price

from spandeck_collector.sample_files import sample_folder

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_traces"
PATTERNS = {
    "orchestrated": "orchestrated_customer_support.jsonl",
    "autonomous": "autonomous_recommendations.jsonl",
    "hierarchical": "hierarchical_research.jsonl",
    "hybrid": "hybrid_assistant.jsonl",
}
VALUE_TYPES = {
    "stringValue": lambda value: isinstance(value, str),
    "intValue": lambda value: isinstance(value, str) and re.fullmatch(r"-?\d+", value) is not None,
    "doubleValue": lambda value: isinstance(value, float),
    "boolValue": lambda value: isinstance(value, bool),
    "arrayValue": lambda value: isinstance(value["values"], list),
}
ERROR = 2


@dataclass(frozen=True)
class Span:
    """A span of a sample file with its attributes as a plain dict."""

    raw: dict[str, Any]
    scope: str
    service: str
    attributes: dict[str, Any]

    @property
    def trace_id(self) -> str:
        return str(self.raw["traceId"])

    @property
    def is_root(self) -> bool:
        return "parentSpanId" not in self.raw

    @property
    def failed(self) -> bool:
        return bool(self.raw.get("status", {}).get("code") == ERROR)

    @property
    def dialect(self) -> str:
        return "openinference" if self.scope.startswith("openinference.") else "otel"

    def first(self, *keys: str) -> Any:
        return next((self.attributes[key] for key in keys if key in self.attributes), None)


def plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    result = {}
    for attribute in attributes:
        ((kind, value),) = attribute["value"].items()
        assert VALUE_TYPES[kind](value), attribute
        result[attribute["key"]] = int(value) if kind == "intValue" else value
    return result


@cache
def spans(name: str) -> tuple[Span, ...]:
    return tuple(_spans(SAMPLES / name))


def _spans(path: Path) -> Iterator[Span]:
    for line in path.read_text(encoding="utf-8").splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            service = plain(resource["resource"]["attributes"])["service.name"]
            for scope in resource["scopeSpans"]:
                for raw in scope["spans"]:
                    yield Span(raw, scope["scope"]["name"], service, plain(raw["attributes"]))


def sample_names() -> list[str]:
    return sorted(path.name for path in SAMPLES.glob("*.jsonl"))


def by_trace(name: str) -> dict[str, list[Span]]:
    traces: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans(name):
        traces[span.trace_id].append(span)
    return traces


def cost_usd(span: Span) -> float | None:
    """What genai-prices says; None without usage or without a price."""
    usage = Usage(
        input_tokens=span.first("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
        output_tokens=span.first("gen_ai.usage.output_tokens", "llm.token_count.completion"),
        cache_read_tokens=span.first(
            "gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"
        ),
        cache_write_tokens=span.first(
            "gen_ai.usage.cache_write.input_tokens", "llm.token_count.prompt_details.cache_write"
        ),
    )
    model = span.first("gen_ai.response.model", "llm.model_name", "gen_ai.request.model", "embedding.model_name")
    if model is None or usage.input_tokens is None:
        return None
    try:
        return float(calc_price(usage, model_ref=model).total_price)
    except LookupError:
        return None


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """The files in the repository are what the generator writes now."""
    command = [sys.executable, str(SAMPLES / "generate.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(written) == {*sample_names(), "manifest.json"}
    for name, content in written.items():
        assert content == (SAMPLES / name).read_bytes(), f"{name}: run sample_traces/generate.py"


def test_another_seed_gives_other_traces(tmp_path: Path) -> None:
    command = [sys.executable, str(SAMPLES / "generate.py"), "--out", str(tmp_path), "--seed", "1"]
    subprocess.run(command, check=True, capture_output=True)
    name = "hybrid_assistant.jsonl"
    assert (tmp_path / name).read_bytes() != (SAMPLES / name).read_bytes()


def test_the_samples_are_small_enough_to_travel_and_big_enough_for_a_chart() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.glob("*.jsonl")) < 3_750_000
    assert 4000 <= sum(len(spans(name)) for name in sample_names()) <= 6000
    assert 350 <= sum(len(by_trace(name)) for name in sample_names()) <= 450


def test_the_manifest_counts_what_is_in_the_files() -> None:
    manifest = json.loads((SAMPLES / "manifest.json").read_text())
    assert sorted(each["file"] for each in manifest["files"]) == sample_names()
    for each in manifest["files"]:
        assert each["span_count"] == len(spans(each["file"]))
        assert each["trace_count"] == len(by_trace(each["file"]))
    ends = [int(span.raw["endTimeUnixNano"]) for name in sample_names() for span in spans(name)]
    assert int(manifest["latest_end_unix_nano"]) == max(ends)


def test_the_samples_cover_a_day_and_are_densest_in_the_last_hour() -> None:
    reference = int(json.loads((SAMPLES / "manifest.json").read_text())["reference_unix_nano"])
    hours = [
        (reference - int(span.raw["startTimeUnixNano"])) / 3.6e12
        for name in sample_names()
        for span in spans(name)
        if span.is_root
    ]
    by_hour = [sum(hour <= each < hour + 1 for each in hours) for hour in range(24)]
    assert all(0 <= each <= 24 for each in hours)
    assert all(by_hour)
    assert by_hour[0] == max(by_hour)
    assert sum(each < 0.25 for each in hours) >= 20


@pytest.mark.parametrize("name", sample_names())
def test_every_span_is_valid_otlp_json(name: str) -> None:
    """Hex ids, string times in order, known attribute types (checked on reading), no null."""
    for span in spans(name):
        raw = span.raw
        assert re.fullmatch(r"[0-9a-f]{32}", raw["traceId"])
        assert re.fullmatch(r"[0-9a-f]{16}", raw["spanId"])
        assert isinstance(raw["startTimeUnixNano"], str)
        start, end = int(raw["startTimeUnixNano"]), int(raw["endTimeUnixNano"])
        assert start <= end
        assert raw["kind"] in {1, 2, 3}
        assert raw["name"]
        for event in raw.get("events", []):
            assert start <= int(event["timeUnixNano"]) <= end
            plain(event["attributes"])
    assert "null" not in re.sub(r'"(\\.|[^"\\])*"', "", (SAMPLES / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sample_names())
def test_every_trace_is_one_tree(name: str) -> None:
    """One root, no orphan, every child inside its parent, no span id twice."""
    for trace in by_trace(name).values():
        by_id = {span.raw["spanId"]: span.raw for span in trace}
        assert len(by_id) == len(trace)
        assert sum(span.is_root for span in trace) == 1
        for span in trace:
            if not span.is_root:
                parent = by_id[span.raw["parentSpanId"]]
                assert int(parent["startTimeUnixNano"]) <= int(span.raw["startTimeUnixNano"])
                assert int(span.raw["endTimeUnixNano"]) <= int(parent["endTimeUnixNano"])


@pytest.mark.parametrize(("pattern", "name"), PATTERNS.items())
def test_each_pattern_is_declared_and_healthy_in_two_dialects(pattern: str, name: str) -> None:
    healthy = {trace[0].dialect for trace in by_trace(name).values() if not any(span.failed for span in trace)}
    roots = [span for span in spans(name) if span.is_root]
    assert {root.attributes["spandeck.architecture"] for root in roots} == {pattern}
    assert healthy == {"otel", "openinference"}


def test_orchestrated_agents_are_always_called_by_the_coordinator() -> None:
    """Every agent but the root sits below a tool of the root agent."""
    for trace in by_trace(PATTERNS["orchestrated"]).values():
        by_id = {span.raw["spanId"]: span for span in trace}
        for span in trace:
            if span.first("gen_ai.agent.name", "agent.name") and not span.is_root:
                tool = by_id[span.raw["parentSpanId"]]
                assert tool.first("gen_ai.tool.name", "tool.name").startswith("ask_")
                assert by_id[tool.raw["parentSpanId"]].is_root


def test_autonomous_runs_have_no_leading_agent_and_cross_services() -> None:
    for trace in by_trace(PATTERNS["autonomous"]).values():
        (root,) = (span for span in trace if span.is_root)
        assert root.first("gen_ai.agent.name", "agent.name") is None
        assert len({span.service for span in trace}) == 2


def test_some_tool_is_clearly_the_worst() -> None:
    outcomes: defaultdict[str, list[bool]] = defaultdict(list)
    for name in sample_names():
        for span in spans(name):
            tool = span.first("gen_ai.tool.name", "tool.name")
            if tool and not name.startswith("incident_"):
                outcomes[tool].append(span.failed)
    ratios = sorted((sum(failed) / len(failed), tool) for tool, failed in outcomes.items())
    assert ratios[-1][1] == "issue_refund"
    assert ratios[-1][0] > 1.4 * ratios[-2][0]
    assert sum(ratio > 0 for ratio, _ in ratios) >= 8


def test_calls_have_caches_reasoning_streams_refusals_and_an_unpriced_model() -> None:
    calls = [span for name in PATTERNS.values() for span in spans(name)]
    for key in (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "llm.token_count.prompt_details.cache_read",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.input.messages",
        "gen_ai.data_source.id",
        "gen_ai.memory.store.name",
        "embedding.model_name",
        "retrieval.documents.0.document.id",
    ):
        assert any(key in span.attributes for span in calls), key
    assert any(span.attributes.get("error.type") == "RateLimitError" for span in calls)
    models = {span.first("gen_ai.response.model", "llm.model_name") for span in calls} - {None}
    assert len(models) >= 7
    assert {model for model in models if not is_priced(model)} == {"house-ranker-7b"}


def is_priced(model: str) -> bool:
    try:
        calc_price(Usage(input_tokens=1, output_tokens=1), model_ref=model)
    except LookupError:
        return False
    return True


def test_only_the_dear_request_costs_more_than_a_dollar() -> None:
    dear = {}
    for name in sample_names():
        for trace_id, trace in by_trace(name).items():
            cost = sum(filter(None, map(cost_usd, trace)))
            if cost > 1:
                dear[trace_id] = (name, cost)
    assert [name for name, _ in dear.values()] == ["incident_expensive_request.jsonl"]
    assert all(cost > 1.5 for _, cost in dear.values())


def test_the_slow_answers_start_after_more_than_two_seconds() -> None:
    def first_tokens_s(name: str) -> list[float]:
        key = "gen_ai.response.time_to_first_chunk"
        return [span.attributes[key] for span in spans(name) if key in span.attributes]

    assert len(by_trace("incident_slow_first_token.jsonl")) == len(first_tokens_s("incident_slow_first_token.jsonl"))
    assert all(each > 2.0 for each in first_tokens_s("incident_slow_first_token.jsonl"))
    assert all(each <= 2.0 for name in PATTERNS.values() for each in first_tokens_s(name))


def test_the_failed_tool_fails_in_every_run_of_its_incident() -> None:
    for trace in by_trace("incident_failed_tool.jsonl").values():
        failed = [span for span in trace if span.failed]
        assert len(failed) >= 3
        for span in failed[:3]:
            (event,) = span.raw["events"]
            assert plain(event["attributes"])["exception.type"] == "PaymentGatewayError"


def test_the_plain_service_says_nothing_about_models() -> None:
    keys = {key for span in spans("plain_checkout.jsonl") for key in span.attributes}
    assert not any(key.startswith(("gen_ai.", "llm.", "openinference.", "spandeck.")) for key in keys)
    assert any(span.failed for span in spans("plain_checkout.jsonl"))


def test_the_samples_are_found_from_a_checkout() -> None:
    assert sorted(path.name for path in sample_folder().glob("*.jsonl")) == sample_names()
