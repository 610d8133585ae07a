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


def test_messages_told_key_by_key_are_told_too() -> None:
    flat = {"0.message.role": "user", "0.message.content": "Hi", "0.message.tool_calls.0.tool_call.id": "c"}
    told = spoken(json.dumps([flat, {"1.role": "assistant", "1.content": "Ho"}]))
    assert told[0] == ("user", "Hi", None)
    assert told[1][0::2] == ("user", "json")
    assert "tool_calls.0.tool_call.id" in told[1][1]
    assert told[2] == ("assistant", "Ho", None)


def test_messages_told_as_events_are_told_too() -> None:
    events = [
        {"event": "gen_ai.user.message", "content": '[{"text": "Hi"}]'},
        {"event": "gen_ai.tool.message", "role": "tool", "content": "42"},
        {"event": "gen_ai.choice", "message": {"role": "assistant", "content": "Ho"}},
    ]
    assert spoken(json.dumps(events)) == [("user", "Hi", None), ("tool", "42", None), ("assistant", "Ho", None)]


@pytest.mark.parametrize("text", ["plain words", "[" * 30_000, "[1, 2", '"quoted"'])
def test_what_is_no_message_is_told_as_it_came(text: str) -> None:
    assert spoken(text) == [("", text, None)]


def test_no_text_tells_nothing() -> None:
    assert spoken("") == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["role", "parts", "content", "type", "x", "event", "0.message.role", "0.content", "0"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_told_without_an_error(value: object) -> None:
    for role, text, language in spoken(json.dumps(value)):
        assert isinstance(role, str)
        assert isinstance(text, str)
        assert language in {None, "json"}
