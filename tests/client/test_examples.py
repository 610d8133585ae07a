"""The examples run as they stand, and what they show arrives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .sink import DEADLINE_S, Sink

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_example(name: str, sink: Sink) -> str:
    """What an example prints; it must end well and quietly."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        env={"SPANDECK_ENDPOINT": sink.endpoint, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_openai_style(sink: Sink) -> None:
    first, second = run_example("openai_style.py", sink).splitlines()
    assert first == "Order 4711 is on its way. Questions: [EMAIL]. (cached: False, tries: 2)"
    assert second.endswith("(cached: True, tries: 0)")
    calls = [span for span in sink.spans if span.name == "chat gpt-5.2"]
    assert [span.status for span in calls] == ["ERROR", "UNSET"]
    assert calls[1].attributes["gen_ai.usage.input_tokens"] == 120
    tools = [span for span in sink.spans if span.name == "execute_tool find_order"]
    assert [span.attributes["spandeck.cache.hit"] for span in tools] == [False, True]


def test_the_anthropic_style(sink: Sink) -> None:
    answer, refusal, sums = run_example("anthropic_style.py", sink).splitlines()
    assert answer.strip() == "Order 4711 is on its way. Questions: [EMAIL]."
    assert refusal.startswith("Security: ")
    assert sums == "2 requests, success 0.5, $0.000210"
    calls = [span for span in sink.spans if span.name == "chat claude-haiku-4-5"]
    assert [span.status for span in calls] == ["ERROR", "UNSET"]
    assert "gen_ai.response.time_to_first_chunk" in calls[1].attributes


def test_the_plain_function(sink: Sink) -> None:
    done, judged = run_example("plain_function.py", sink).splitlines()
    assert done == "Order 4711 was shipped on Friday. It costs 25 EUR. (cached: False, requests: 1)"
    assert judged.startswith("2 of 4 judged parts are not supported")
    names = [event.attributes["gen_ai.evaluation.name"] for event in sink.events]
    assert names == ["unsupported_values", "user_feedback"]
