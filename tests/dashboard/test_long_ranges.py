"""Beyond two days the page's queries ask the roll-ups: they must say what the rows say."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest

from tests.schema.sandbox import Sandbox

pytestmark = pytest.mark.integration

_LLM = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme"}
_TOOL = {"gen_ai.operation.name": "execute_tool"}
_USAGE = {"gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": 40, "gen_ai.usage.cache_read.input_tokens": 9}
_SINCE, _UNTIL = datetime(2026, 5, 4, 11, 50), datetime(2026, 5, 6, 10, 40)
_PARAMETER = re.compile(r"\$([a-z_]+)")
# What is spread over the length of a range, or compares it with the one before.
_OF_THE_RANGE = {"cost_trend", "error_trend", "is_comparable", "change_ratio"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Two days of calls of two models, two agents and two tools; half of the roll-ups are merged."""
    result = Sandbox(tmp_path_factory.mktemp("ranges"))
    for number in range(1, 25):
        name = {"gen_ai.agent.name": f"agent-{number % 2}"}
        model = {"gen_ai.request.model": ["acme-1", "acme-9"][number % 3 == 0]} | (_USAGE if number % 5 else {})
        first = {"gen_ai.response.time_to_first_chunk": number / 100} if number % 2 else {}
        service = "shop" if number % 3 else "desk"
        place = {
            "service": service,
            "trace": number,
            "at_ms": number * 6_900_000,
            "status": "ERROR" if number % 7 == 0 else "OK",
        }
        result.spans(
            place | {"id": number * 10, "ms": 37 * number, "name": "run", "attributes": name},
            place
            | {"id": number * 10 + 1, "parent": number * 10, "ms": 31 * number, "attributes": _LLM | model | first},
            place
            | {"id": number * 10 + 2, "parent": number * 10, "ms": number}
            | {"attributes": _TOOL | {"gen_ai.tool.name": f"tool-{number % 2}"}},
        )
        if number == 12:
            result.ingest.checkpoint(wait_for_queries=True)
    yield result
    result.connection.close()


def answer(
    sandbox: Sandbox, name: str, since: datetime, filters: dict[str, str], *, is_long: bool = False
) -> list[dict[str, Any]]:
    folder = files("spandeck_dashboard").joinpath("sql")
    long = folder.joinpath(f"{name}_long.sql")
    text = (long if is_long and long.is_file() else folder.joinpath(f"{name}.sql")).read_text(encoding="utf-8")
    values = {"before": since - (_UNTIL - since), "since": since, "until": _UNTIL} | filters
    rows = sandbox.rows(_PARAMETER.sub("?", text), [values.get(each) for each in _PARAMETER.findall(text)])
    return [{key: cell for key, cell in row.items() if key not in _OF_THE_RANGE} for row in rows]


@pytest.mark.parametrize(
    "filters",
    [{}, {"service": "shop"}, {"agent": "agent-1"}, {"model": "acme-1"}, {"model": "acme-1", "agent": "agent-0"}],
    ids=str,
)
@pytest.mark.parametrize("name", ["kpis", "models", "agents", "tools", "tool_kpis", "operations", "services", "extent"])
def test_a_long_range_says_what_a_short_one_says_of_the_same_calls(
    sandbox: Sandbox, name: str, filters: dict[str, str]
) -> None:
    short = answer(sandbox, name, _SINCE, filters)
    assert short
    assert answer(sandbox, name, _SINCE, filters, is_long=True) == short
    for length in (timedelta(days=30), timedelta(days=2, hours=1, minutes=7)):
        long = answer(sandbox, name, _UNTIL - length, filters, is_long=True)
        assert [by_kind(row) for row in long] == [
            {key: near(cell) for key, cell in by_kind(row).items()} for row in short
        ]


def by_kind(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the figure of the period before, which is another period for another length."""
    return {key: cell for key, cell in row.items() if key != "previous_value"}


def near(cell: Any) -> Any:
    return pytest.approx(cell, rel=0.0101) if isinstance(cell, float) else cell
