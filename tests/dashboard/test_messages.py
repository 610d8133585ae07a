"""Prompts and answers are told by role; what is no message stays as it came."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_dashboard.views.messages import spoken

pytestmark = pytest.mark.unit


def test_genai_parts_are_told_one_by_one() -> None:
    parts = [{"type": "text", "content": "Hello"}, {"type": "tool_call", "name": "find", "arguments": {"q": 1}}]
    told = spoken(json.dumps([{"role": "assistant", "parts": parts}]))
    assert told[0] == ("assistant", "Hello", None)
    assert told[1][0::2] == ("assistant", "json")
    assert '"find"' in told[1][1]


def test_provider_messages_are_told_too() -> None:
    assert spoken('{"messages": [{"role": "user", "content": "Hi"}]}') == [("user", "Hi", None)]


@pytest.mark.parametrize("text", ["plain words", "[1, 2", '"quoted"'])
def test_what_is_no_message_is_told_as_it_came(text: str) -> None:
    assert spoken(text) == [("", text, None)]


def test_no_text_tells_nothing() -> None:
    assert spoken("") == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["role", "parts", "content", "type", "x"]), inner),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_told_without_an_error(value: object) -> None:
    for role, text, language in spoken(json.dumps(value)):
        assert isinstance(role, str)
        assert isinstance(text, str)
        assert language in {None, "json"}
