"""Who ran below whom, who handed over to whom, how often was tried again, and what a range of time leaves out."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from . import otlp
from .sandbox import Sandbox
from .scene import Scene, Words

pytestmark = pytest.mark.integration

NUMBERS = count(1)
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for all scenes."""
    result = Sandbox(tmp_path_factory.mktemp("runs"))
    yield result
    result.connection.close()


@pytest.fixture
def scene(shared: Sandbox) -> Scene:
    """Traces that no other test sees."""
    return Scene(shared, next(NUMBERS))


def attempt(number: int, attempt_number: int, status: str = "ERROR", **words: Any) -> Words:
    """A try of the model call `chat`."""
    attributes = {"gen_ai.operation.name": "chat", "spandeck.attempt": attempt_number}
    return {"id": number, "at_ms": number * 10, "ms": 5, "status": status, "attributes": attributes} | words


def agent(number: int, name: str, **words: Any) -> Words:
    """A span of the agent `name`."""
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    return {"id": number, "at_ms": number, "attributes": attributes} | words


@pytest.mark.parametrize(
    ("tries", "retries"),
    [
        ([(1, "ERROR"), (2, "ERROR"), (3, "OK")], 2),
        ([(1, "OK")], 0),
        ([(3, "OK")], 2),
        ([(2, "OK"), (3, "OK")], 3),
        ([(2, "ERROR"), (3, "OK")], 2),
        ([(1, "ERROR"), (2, "OK"), (1, "ERROR"), (2, "OK")], 2),
        ([(1, "ERROR"), (2, "ERROR"), (3, "ERROR"), (1, "ERROR"), (2, "OK")], 3),
    ],
)
def test_retries_are_the_tries_beyond_the_first(tries: list[tuple[int, str]], retries: int, scene: Scene) -> None:
    scene.take(*(attempt(number, *each) for number, each in enumerate(tries, start=1)))
    assert scene.total("retry_count") == retries


def test_tries_of_different_tools_are_no_series(scene: Scene) -> None:
    scene.take(
        attempt(1, 1),
        attempt(
            2,
            2,
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "search",
                "spandeck.attempt": 2,
            },
        ),
    )
    assert scene.total("retry_count") == 1


@pytest.mark.parametrize(
    ("tool", "arguments", "target"),
    [
        ("handoff", '{"agent_name": "clerk"}', "clerk"),
        ("handoff", '{"to_agent": " clerk "}', "clerk"),
        ("handoff", '{"reason": "angry"}', None),
        ("handoff", "clerk", None),
        ("handoff_to_agent", "{'agent_name': 'clerk', 'message': None}", "clerk"),
        ("transfer_to_agent", '{"agent_name": "clerk"}', "clerk"),
        ("transfer_to_agent", None, None),
        ("transfer_to_clerk", None, "clerk"),
        ("delegate_task_to_member", '{"member_id": "clerk", "task": "look"}', "clerk"),
        ("search", '{"agent_name": "clerk"}', None),
    ],
)
def test_whom_a_tool_hands_over_to(tool: str, arguments: str | None, target: str | None, scene: Scene) -> None:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
    if arguments:
        attributes["gen_ai.tool.call.arguments"] = arguments
    scene.take(agent(1, "desk"), {"id": 2, "parent": 1, "attributes": attributes})
    assert scene.rows("spans", "handoff_to_agent")[1] == (target,)
    handed = [row for row in scene.rows("store.agent_runs", "kind", "from_agent", "agent_name") if row[0] != "run"]
    assert handed == ([("handoff", "desk", target)] if target else [])


def test_spans_between_two_agents_do_not_part_them(scene: Scene) -> None:
    scene.take(
        agent(1, "lead"),
        *({"id": number, "parent": number - 1, "name": "chain"} for number in range(2, 40)),
        agent(40, "clerk", parent=39),
    )
    assert scene.rows("agent_runs", "agent_name", "called_by", "called_as") == [
        ("lead", None, None),
        ("clerk", "lead", "delegate"),
    ]


def test_peers_below_a_workflow_are_called_by_no_agent(scene: Scene) -> None:
    workflow = {"id": 1, "attributes": {"gen_ai.operation.name": "invoke_workflow"}}
    scene.take(workflow, agent(2, "taste", parent=1), agent(3, "stock", parent=1))
    assert scene.rows("agent_runs", "agent_name", "called_by") == [("taste", None), ("stock", None)]


def test_a_handoff_without_an_agent_around_it_has_the_agent_that_it_names(scene: Scene) -> None:
    handoff = {"gen_ai.operation.name": "handoff", "gen_ai.handoff.from_agent": "a", "gen_ai.handoff.to_agent": "b"}
    scene.take({"id": 1, "attributes": handoff}, agent(2, "b", parent=1))
    assert scene.rows("agent_runs", "agent_name", "called_by", "called_as") == [("b", "a", "handoff")]
    assert scene.rows("store.agent_runs", "kind", "called_as") == [("handoff", None), ("run", "handoff")]


@pytest.fixture
def three_hours(tmp_path: Path) -> Iterator[Sandbox]:
    """A run of `lead` and `clerk` an hour, at noon and the two hours after."""
    result = Sandbox(tmp_path)
    for hour in range(3):
        at_ms = hour * HOUR_MS
        result.spans(
            agent(1, "lead", trace=hour + 1, at_ms=at_ms, ms=1000 * (hour + 1), service="shop"),
            agent(2, "clerk", trace=hour + 1, parent=1, at_ms=at_ms + HOUR_MS // 2, ms=10 * (hour + 1)),
        )
    yield result
    result.connection.close()


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (None, None, [0, 1, 2]),
        ("2026-05-04 13:00", None, [1, 2]),
        (None, "2026-05-04 13:00", [0]),
        ("2026-05-04 13:00", "2026-05-04 14:00", [1]),
        ("2026-05-04T14:00:00Z", "2026-05-04 15:00", [2]),
        ("2026-05-04 13:00:00.000001", "2026-05-04 14:00", []),
    ],
)
def test_a_range_has_what_started_in_it(
    since: str | None, until: str | None, hours: list[int], three_hours: Sandbox
) -> None:
    bounds = [since, until]
    metrics = three_hours.rows(
        "select service, request_count, average_ms from production_metrics_between(?, ?)", bounds
    )
    mean = sum(1000 * (hour + 1) for hour in hours) / max(len(hours), 1)
    wanted = [{"service": "shop", "request_count": len(hours), "average_ms": mean}]
    assert metrics == (wanted if hours else [])
    edges = three_hours.rows("select kind, from_agent, target, call_count from agent_edges_between(?, ?)", bounds)
    edge = {"kind": "delegate", "from_agent": "lead", "target": "clerk", "call_count": len(hours)}
    assert edges == ([edge] if hours else [])
    sql = "select measured_count from service_objectives_between(?, ?) where objective = 'availability'"
    assert three_hours.rows(sql, bounds) == ([{"measured_count": len(hours)}] if hours else [])


def test_edges_of_a_range_are_those_of_its_traces_together(three_hours: Sandbox) -> None:
    edge = three_hours.row("select * from agent_edges_between(null, null)")
    assert (edge["trace_count"], edge["call_count"], edge["p50_ms"], edge["p95_ms"]) == (3, 3, 20.0, 29.0)
    each = three_hours.rows("select trace_id, p95_ms from agent_edges order by trace_id")
    assert each == [{"trace_id": otlp.trace_id(hour + 1), "p95_ms": 10.0 * (hour + 1)} for hour in range(3)]
