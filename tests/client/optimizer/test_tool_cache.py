"""Tool results: cached only where that was declared, and never past a change."""

import asyncio
from functools import partial
from typing import Any

import pytest

from spandeck import ToolCache

pytestmark = pytest.mark.unit


def test_a_declared_tool_runs_once_for_equal_arguments_until_its_time_is_over() -> None:
    now, runs = [0.0], []
    cache = ToolCache(clock=lambda: now[0])
    cache.declare("find_order", ttl=300)

    def run() -> dict[str, int]:
        runs.append(1)
        return {"id": len(runs)}

    assert cache.call("find_order", {"id": 7, "deep": [1]}, run) == {"id": 1}
    assert cache.call("find_order", {"deep": [1], "id": 7}, run) == {"id": 1}
    assert cache.call("find_order", {"id": 8}, run) == {"id": 2}
    now[0] = 300
    assert cache.call("find_order", {"id": 7, "deep": [1]}, run) == {"id": 3}


def test_a_tool_that_was_not_declared_always_runs() -> None:
    cache, runs = ToolCache(), []
    for _ in range(2):
        cache.call("now", {}, lambda: runs.append(1))
    assert len(runs) == 2
    cache.put("now", {}, "x")
    assert cache.get("now", {}) is None


def test_undeclared_tools_can_be_cached_by_default_and_declared_ones_opt_out() -> None:
    cache = ToolCache(default_ttl=60)
    cache.declare("now")
    for tool in ("search", "now"):
        cache.put(tool, {"q": 1}, "x")
    assert cache.get("search", {"q": 1}) is not None
    assert cache.get("now", {"q": 1}) is None


def test_a_tool_with_side_effects_is_never_cached_and_drops_what_the_others_told() -> None:
    cache = ToolCache()
    cache.declare("find_order", ttl=60)
    cache.declare("find_user", ttl=60)
    cache.declare("cancel_order", side_effects=True, invalidates=["*_order"])
    cache.put("find_order", {"id": 1}, "open")
    cache.put("find_user", {"id": 1}, "Ann")
    assert [cache.call("cancel_order", {"id": 1}, partial(int, n)) for n in (1, 2)] == [1, 2]
    assert cache.get("find_order", {"id": 1}) is None
    assert cache.get("find_user", {"id": 1}) is not None


def test_a_failed_change_drops_results_too_and_its_error_passes() -> None:
    cache = ToolCache()
    cache.declare("find_order", ttl=60)
    cache.declare("cancel_order", side_effects=True)
    cache.put("find_order", {}, "open")
    with pytest.raises(ZeroDivisionError):
        cache.call("cancel_order", {}, lambda: 1 / 0)
    assert cache.get("find_order", {}) is None


def test_a_read_that_began_before_a_change_is_not_kept() -> None:
    cache = ToolCache()
    cache.declare("find_order", ttl=60)
    cache.declare("cancel_order", side_effects=True)

    def read() -> str:
        cache.call("cancel_order", {}, lambda: None)
        return "open"

    assert cache.call("find_order", {}, read) == "open"
    assert cache.get("find_order", {}) is None


def test_tenants_and_tools_never_share_a_result() -> None:
    cache = ToolCache(default_ttl=60)
    cache.put("find", {"id": 1}, "x", tenant="a")
    assert cache.get("find", {"id": 1}, tenant="b") is None
    assert cache.get("find", {"id": 1}) is None
    assert cache.get("find2", {"id": 1}, tenant="a") is None


def test_arguments_without_json_run_uncached() -> None:
    cache = ToolCache(default_ttl=60)
    assert [cache.call("find", {"q": object()}, partial(int, n)) for n in (1, 2)] == [1, 2]


def test_errors_are_not_cached_and_the_bound_holds() -> None:
    cache = ToolCache(default_ttl=60, max_entries=2)
    with pytest.raises(ZeroDivisionError):
        cache.call("find", 0, lambda: 1 / 0)
    for number in range(3):
        assert cache.call("find", number, partial(int, number)) == number
    assert [cache.get("find", number) is not None for number in range(3)] == [False, True, True]


@pytest.mark.parametrize(
    ("settings", "said"), [({"ttl": 0}, "ttl is 0"), ({"ttl": 5, "side_effects": True}, "has side")]
)
def test_a_declaration_that_makes_no_sense_is_a_sentence(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ToolCache().declare("find", **settings)


async def test_tasks_share_one_run_and_changes_are_seen() -> None:
    cache, runs = ToolCache(), []
    cache.declare("find", ttl=60)
    cache.declare("change", side_effects=True)

    async def run() -> int:
        runs.append(1)
        await asyncio.sleep(0.01)
        return len(runs)

    assert await asyncio.gather(*(cache.acall("find", {}, run) for _ in range(4))) == [1, 1, 1, 1]
    assert await cache.acall("find", {}, run) == 1
    await cache.acall("change", {}, run)
    assert await cache.acall("find", {}, run) == 3
