"""The conformance script with the answers of other backends than Spandeck."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conformance.feeding import Arrival
from .conformance.scenarios import EXPORTS, Scenario, load
from .conformance.scoring import differences

pytestmark = pytest.mark.unit

CHECK = Path(__file__).with_name("check.py")
CHAT = "openinference-chat"


def truth(scenario: Scenario) -> dict[str, Any]:
    """A right answer as one row: everything on the first trace of the scenario."""
    expected, gaps = scenario.expected, scenario.expected["not_in_payload"]
    tokens = expected["tokens"] or {}
    return {
        "trace_id": min(scenario.trace_ids()),
        "span_count": expected["spans"],
        "error_span_count": expected["error_spans"],
        "llm_call_count": gaps.get("llm_calls", expected["llm_calls"]),
        "failed_llm_call_count": gaps.get("llm_calls_failed", expected["llm_calls_failed"]),
        "embedding_call_count": gaps.get("embedding_calls", expected["embedding_calls"]),
        "tool_call_count": expected.get("tool_spans"),
        "failed_tool_call_count": expected.get("tool_failures"),
        "agent_names": expected.get("agents"),
        "time_to_first_token_ms": expected.get("ttft_ms_in_payload"),
        **{name: gaps.get(name, value) for name, value in tokens.items()},
    }


def check(*options: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script to its end."""
    return subprocess.run([sys.executable, CHECK, *options], capture_output=True, text=True, check=False)


def answers(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A file with a row a line."""
    path = folder / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("scenario", load(), ids=lambda scenario: scenario.name)
def test_the_truths_are_right_and_one_more_call_is_wrong(scenario: Scenario) -> None:
    row = truth(scenario)
    assert differences(scenario.expected, [row]) == []
    more = row | {"llm_call_count": row["llm_call_count"] + 1}
    assert [sentence.partition(":")[0] for sentence in differences(scenario.expected, [more])] == ["llm_call_count"]
    assert differences(scenario.expected, []) != []


def test_the_manifest_names_every_file_of_the_folder() -> None:
    scenarios = load()
    named = {export.path.name for scenario in scenarios for export in scenario.exports}
    assert named | {"manifest.json"} == {path.name for path in EXPORTS.iterdir()}
    assert len({scenario.name for scenario in scenarios}) == len(scenarios) == 142
    assert len(set[str]().union(*(scenario.trace_ids() for scenario in scenarios))) == sum(
        scenario.expected["traces"] for scenario in scenarios
    )


def test_answers_of_any_backend_can_be_scored_without_feeding(tmp_path: Path) -> None:
    rows = [truth(scenario) for scenario in load()]
    done = check("--answers", answers(tmp_path, rows))
    assert (done.stdout, done.stderr, done.returncode) == ("142 of 142 scenarios right\n", "", 0)


def test_a_wrong_answer_is_told_by_scenario_and_field(tmp_path: Path) -> None:
    rows = [truth(scenario) for scenario in load(prefix=CHAT)]
    rows[0] |= {"input_tokens": 1, "trace_id": rows[0]["trace_id"].upper()}
    done = check("--answers", answers(tmp_path, rows), "--only", CHAT)
    first, last = done.stdout.splitlines()
    assert first.startswith(f"{CHAT}: input_tokens: expected ")
    assert last == f"{len(rows) - 1} of {len(rows)} scenarios right"
    assert done.returncode == 1


@pytest.mark.parametrize("text", ["no json", '{"input_tokens": 1}', "[1]"])
def test_what_is_no_answer_is_said_in_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(text, encoding="utf-8")
    done = check("--answers", path)
    assert (done.stdout, done.returncode) == ("", 1)
    assert str(path) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_backend_that_is_away_is_said_in_a_sentence() -> None:
    done = check("--http", "http://127.0.0.1:1", "--only", CHAT)
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("Nobody answers")


def test_files_arrive_in_the_ways_that_are_asked_for() -> None:
    two = next(scenario for scenario in load() if len(scenario.exports) == 2)
    one = next(scenario for scenario in load() if len(scenario.exports) == 1)
    first, second = two.exports

    def names(arrival: Arrival) -> list[list[str]]:
        return [[export.path.name for _, export in round_] for round_ in arrival.rounds([two, one])]

    alone = one.exports[0].path.name
    assert names(Arrival()) == [[first.path.name, second.path.name, alone]]
    assert names(Arrival(reversed_order=True)) == [[second.path.name, first.path.name, alone]]
    assert names(Arrival(twice=True, apart_s=1)) == [
        [first.path.name, first.path.name, alone, alone],
        [second.path.name, second.path.name],
    ]
