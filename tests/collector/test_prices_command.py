"""`spandeck prices`: what is asked, what is shown before anything changes, and what changes then."""

import json
from collections.abc import Iterator
from datetime import date

import pytest

from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

PRICES = """
[[prices]]
provider = "openai"
model = "gpt-4o"
input_usd_per_mtok = 100.0
output_usd_per_mtok = 100.0
source = "contract"
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A store of its own: calls that other tests sent would stand in its sums."""
    with ready_stack(tmp_path_factory.mktemp("prices"), "up", "--no-ui") as own:
        yield own


def send_call(stack: Stack, number: int) -> str:
    """Store one call of gpt-4o with a million input tokens; its trace id."""
    values = [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1000000"}}]
    values += [{"key": "gen_ai.usage.output_tokens", "value": {"intValue": "0"}}]
    texts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    values += [{"key": name, "value": {"stringValue": value}} for name, value in texts.items()]
    span = {
        "traceId": f"ca5{number:029x}",
        "spanId": f"ca5{number:013x}",
        "name": "chat",
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000000500000000",
        "attributes": values,
    }
    file = stack.folder / f"priced-{number}.jsonl"
    file.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}), encoding="utf-8")
    assert stack.run("replay", file, "--at", "original").returncode == 0
    trace_id = f"ca5{number:029x}"
    eventually(lambda: bool(stack.rows("select 1 from traces where trace_id = ?", trace_id)))
    return trace_id


def cost(stack: Stack, trace_id: str) -> float:
    ((usd,),) = stack.rows("select cost_usd from traces where trace_id = ?", trace_id)
    return float(usd)


def test_prices_are_changed_shown_and_applied(stack: Stack) -> None:
    trace_id = send_call(stack, 1)
    assert cost(stack, trace_id) == pytest.approx(2.5)
    explained = json.loads(stack.run("prices", "explain", trace_id, "--format", "json").stdout)
    assert [row["calculation"] for row in explained] == ["1,000,000 input tokens * $2.5 / 1,000,000 = $2.5"]

    file = stack.folder / "mine.toml"
    file.write_text(PRICES, encoding="utf-8")
    imported = stack.run("prices", "import", file)
    assert (imported.returncode, imported.stderr) == (0, "")
    assert "prices.toml" in imported.stdout
    assert "new prices, 0 ended" in imported.stdout
    assert cost(stack, trace_id) == pytest.approx(2.5)

    rows = json.loads(stack.run("prices", "diff", "--format", "json").stdout)
    assert [(row["model"], row["cost_usd"], row["present_cost_usd"]) for row in rows] == [("gpt-4o", 2.5, 100.0)]
    refused = stack.run("prices", "apply")
    assert refused.returncode == 1
    assert "1 calls: $2.5000 becomes $100.0000" in refused.stdout
    assert cost(stack, trace_id) == pytest.approx(2.5)
    applied = stack.run("prices", "apply", "--yes")
    assert (applied.returncode, applied.stderr) == (0, "")
    assert "repriced 1 traces" in applied.stdout
    assert cost(stack, trace_id) == pytest.approx(100.0)
    again = stack.run("prices", "apply", "--yes")
    assert "Nothing to change" in again.stdout

    listed = json.loads(stack.run("prices", "list", "openai/gpt-4o", "--format", "json").stdout)
    assert {"contract"} <= {row["source"] for row in listed}
    assert {row["name"] for row in _commands(stack)} >= {"import_prices", "apply_prices"}


def _commands(stack: Stack) -> list[dict[str, str]]:
    return [{"name": name} for (name,) in stack.rows("select name from commands")]


def test_a_bad_file_changes_nothing(stack: Stack) -> None:
    file = stack.folder / "bad.toml"
    file.write_text("[[prices]]\nmodel = 'x'", encoding="utf-8")
    result = stack.run("prices", "import", file)
    assert result.returncode == 1
    assert "prices entry 1 has no input_usd_per_mtok" in result.stderr


def test_a_trace_without_calls_is_told(stack: Stack) -> None:
    for arguments in (("0" * 31 + "1",), (send_call(stack, 97), "00000000000000ff")):
        result = stack.run("prices", "explain", *arguments)
        assert (result.returncode, result.stdout) == (1, "")
        assert "has no model call" in result.stderr


def test_questions_of_money_pass_the_gate(stack: Stack) -> None:
    assert stack.rows("select what_if_model from what_if('gpt-4o-mini') limit 0") == []
    rows = stack.rows("select day from cost_by_day_in('Pacific/Kiritimati') where model = 'gpt-4o'")
    assert all(date.fromisoformat(day) for (day,) in rows)
    assert stack.rows("select budget from budgets") == []
