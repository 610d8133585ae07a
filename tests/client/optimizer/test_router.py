"""The router: the seed's three tiers, an override, an estimate, and always a reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck import Route, Router
from spandeck.optimizer import ModelPicker
from spandeck.optimizer.complexity import estimate

pytestmark = pytest.mark.unit

REPEATABLE = settings(deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("complexity", "model"),
    [
        ("simple", "claude-haiku-4-5"),
        ("medium", "claude-sonnet-4-5"),
        ("complex", "claude-opus-4-5"),
        ("whatever", "claude-sonnet-4-5"),
    ],
)
def test_declared_complexity_decides_and_an_unknown_one_is_medium(complexity: str, model: str) -> None:
    route = Router().pick("Say hello", complexity)
    assert route.model == model
    assert complexity in route.reason


def test_an_override_of_the_call_comes_before_that_of_the_router() -> None:
    router = Router(override="gpt-5")
    assert router.pick("x", "complex") == Route("gpt-5", "override", "The caller asked for gpt-5.")
    assert router.pick("x", "complex", override="local").model == "local"


@pytest.mark.parametrize(
    ("task", "tier"),
    [
        ("What is the capital of Peru?", "simple"),
        ("Translate this word: Haus", "simple"),
        ("Why does my bread not rise in winter?", "medium"),
        ("Compare buying and leasing a car, and draft a short summary", "medium"),
        ("Design a schema for a clinic, compare two options and justify the trade-offs step by step", "complex"),
        ("Debug this:\n```python\ndef f(x):\n    return x / 0\n```\nWhy does it fail?", "complex"),
    ],
)
def test_an_undeclared_task_is_estimated_from_its_text(task: str, tier: str) -> None:
    route = Router().pick(task)
    assert route == Router().pick(task, "auto")
    assert route.tier == tier
    assert route.reason.startswith(f"Estimated {tier}: ")


def test_tools_turns_and_length_make_a_task_harder() -> None:
    assert estimate("Book it.")[0] == "simple"
    assert estimate("Book it.", tools=9, turns=9)[0] == "medium"
    assert "5,000 characters" in estimate("x" * 5_000)[1]


def test_the_next_smaller_model_is_known_for_degradation() -> None:
    router = Router()
    assert router.smaller("claude-opus-4-5") == "claude-sonnet-4-5"
    assert router.smaller("claude-sonnet-4-5") == "claude-haiku-4-5"
    assert router.smaller("claude-haiku-4-5") is None
    assert router.smaller("unknown") is None
    assert Router(simple="a", medium="a", complex="b").smaller("a") is None


def test_a_router_of_ones_own_needs_one_method() -> None:
    class Always:
        def pick(self, task: str, complexity: str | None = None) -> Route:
            return Route("local", "override", "There is only one.")

    picker: ModelPicker = Always()
    assert picker.pick("x").model == "local"


@REPEATABLE
@given(st.text(max_size=500), st.none() | st.text(max_size=10))
def test_every_task_gets_a_model_and_a_reason(task: str, complexity: str | None) -> None:
    route = Router().pick(task, complexity)
    assert route.model.startswith("claude-")
    assert route.reason.endswith(".")
