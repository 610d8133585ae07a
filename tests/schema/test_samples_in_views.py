"""The sample traces show something in every view that tells of agents, and each of the four architectures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandeck_collector.journal import Signal
from spandeck_collector.receiver.otlp_json import message_from_json

from .sandbox import Sandbox

pytestmark = pytest.mark.integration

SAMPLES = Path(__file__).parents[2] / "sample_traces"
SHOWN = (
    "sessions",
    "agent_runs",
    "steps",
    "agent_edges",
    "guard_verdicts",
    "cache_lookups",
    "memory_operations",
    "latency_by_memory_tier",
    "production_metrics",
    "service_objectives",
    "evaluations",
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A database with all sample traces, a batch a file."""
    result = Sandbox(tmp_path_factory.mktemp("samples"))
    for path in sorted(SAMPLES.glob("*.jsonl")):
        lines = path.read_bytes().splitlines()
        messages = (message_from_json(line, ExportTraceServiceRequest)[0] for line in lines)
        result.take(*((Signal.TRACES, message.SerializeToString()) for message in messages))
    yield result
    result.connection.close()


def words(sandbox: Sandbox, view: str, *columns: str) -> set[tuple[Any, ...]]:
    """What stands in these columns of a view, NULL left out."""
    rows = sandbox.rows(f"select distinct {', '.join(columns)} from {view}")
    return {tuple(row.values()) for row in rows if None not in row.values()}


@pytest.mark.parametrize("view", SHOWN)
def test_a_view_shows_something(view: str, samples: Sandbox) -> None:
    assert samples.rows(f"select * from {view} limit 1")


def test_each_architecture_has_edges_of_its_own_kind(samples: Sandbox) -> None:
    edges = words(samples, "agent_edges", "architecture", "kind", "from_agent", "target")
    kinds = {(architecture, kind) for architecture, kind, _, _ in edges if kind != "tool"}
    assert kinds == {
        ("orchestrated", "delegate"),
        ("autonomous", "handoff"),
        ("hierarchical", "delegate"),
        ("hybrid", "delegate"),
        ("hybrid", "handoff"),
        ("hybrid", "message"),
    }
    assert {architecture for architecture, kind, _, _ in edges if kind == "tool"} == {each[0] for each in kinds}
    callers = {from_agent for architecture, kind, from_agent, _ in edges if (architecture, kind) in kinds}
    assert {"support_coordinator", "taste", "research_supervisor", "literature_lead", "concierge"} <= callers
    orchestrated = {edge[2] for edge in edges if edge[0] == "orchestrated" and edge[1] != "tool"}
    assert orchestrated == {"support_coordinator"}


def test_what_the_client_tells_can_be_asked(samples: Sandbox) -> None:
    assert words(samples, "guard_verdicts", "action") == {("allow",), ("review",), ("block",)}
    assert {"true", "false"} == {str(hit).lower() for (hit,) in words(samples, "cache_lookups", "is_hit")}
    assert words(samples, "latency_by_memory_tier", "tier") == {("short_term",), ("long_term",), ("episodic",)}
    assert words(samples, "agent_runs", "route_tier") == {("simple",), ("medium",), ("complex",)}
    assert words(samples, "agent_runs", "degraded") == {("smaller_model",)}
    assert words(samples, "steps", "step") == {(1,), (2,), (3,)}
    row = samples.row("select * from production_metrics where service = 'helpdesk'")
    unknown = {name for name, cell in row.items() if cell is None}
    assert unknown == {"cost_usd", "cost_per_request_usd"}  # no price list is loaded here
    assert row["retry_count"] > 0


def test_objectives_are_judged_where_something_tells_them(samples: Sandbox) -> None:
    judged = words(samples, "service_objectives", "service", "objective", "attained_ratio")
    assert {objective for service, objective, _ in judged if service == "helpdesk"} == {
        "availability",
        "latency_median",
        "latency",
        "state_access",
        "retrieval",
        "retrieval_real_time",
    }
    assert {objective for service, objective, _ in judged if service == "checkout"} == {
        "availability",
        "latency_median",
        "latency",
    }
