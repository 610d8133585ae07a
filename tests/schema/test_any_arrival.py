"""Laws over generated traces: every sum agrees, nothing counts twice, and no way of arriving changes a number."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from . import otlp
from .generated import TRACES, Truth, World, arrivals, placed, told_worlds, unplaced, wild_worlds
from .sandbox import Sandbox
from .sums import approx, check_sums

pytestmark = pytest.mark.integration

# A world is small enough to be read as it is: shrinking one would take minutes.
BOUNDED = settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
OBSERVED_AT = {
    "spans": "received_at",
    "store.calls": "first_received_at",
    "store.agent_runs": "first_received_at",
}
"""When a span came may differ; nothing else may."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for all worlds: each is placed where no other is."""
    result = Sandbox(tmp_path_factory.mktemp("worlds"))
    yield result
    result.connection.close()


def stored(sandbox: Sandbox, world: World, batches: list[list[int]]) -> int:
    """Store the spans of a world in batches of their indexes; the number under which it is placed."""
    number = sandbox.batch_count + 1
    spans = placed(world, number)
    for indexes in batches:
        sandbox.spans(*(spans[index] for index in indexes))
    return number


def rows_of(sandbox: Sandbox, relation: str, number: int) -> list[dict[str, Any]]:
    """All rows of a world, free of where it is placed and when it came."""
    left_out = f"exclude ({OBSERVED_AT[relation]})" if relation in OBSERVED_AT else ""
    order = "trace_id" if relation == "traces" else "trace_id, span_id"
    ids = [otlp.trace_id(number * 10 + trace) for trace in range(1, TRACES + 1)]
    rows = sandbox.rows(f"select * {left_out} from {relation} where trace_id in (?, ?, ?) order by {order}", ids)
    return [{key: unplaced(cell, number) for key, cell in row.items()} for row in rows]


def check_equal(sandbox: Sandbox, once: int, again: int) -> None:
    """Two placings of one world have the same rows in everything that is derived from spans."""
    for relation in ("store.calls", "store.agent_runs", "spans", "llm_calls", "tool_calls", "traces"):
        assert rows_of(sandbox, relation, again) == [approx(row) for row in rows_of(sandbox, relation, once)], relation


@BOUNDED
@given(data=st.data(), world=wild_worlds())
def test_no_order_of_arrival_changes_a_row(data: st.DataObject, world: World, sandbox: Sandbox) -> None:
    once = stored(sandbox, world, [list(range(len(world)))])
    again = stored(sandbox, world, data.draw(arrivals(len(world))))
    check_equal(sandbox, once, again)
    check_sums(sandbox)


@BOUNDED
@given(data=st.data(), told=told_worlds())
def test_what_is_told_several_times_counts_once(
    data: st.DataObject, told: tuple[World, Truth], sandbox: Sandbox
) -> None:
    world, truth = told
    number = stored(sandbox, world, data.draw(arrivals(len(world))))
    traces = rows_of(sandbox, "traces", number)
    found = {name: sum(row[name] or 0 for row in traces) for name in vars(truth)}
    assert found == vars(truth)
    check_sums(sandbox)
