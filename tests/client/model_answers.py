"""Answers and chunks in the shapes of the OpenAI and Anthropic SDKs, as those document them."""

from types import SimpleNamespace
from typing import Any


def objects(value: Any) -> Any:
    """Dicts as objects with attributes, as the SDKs have them."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: objects(item) for key, item in value.items()})
    return [objects(item) for item in value] if isinstance(value, list) else value


CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-5.2-2026-01-01",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It is on its way."}}
    ],
    "usage": {
        "prompt_tokens": 90,
        "completion_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 40},
        "completion_tokens_details": {"reasoning_tokens": 5},
    },
}
CHAT_CHUNKS = [
    {"id": "c-1", "object": "chat.completion.chunk", "model": "gpt-5.2", "choices": [{"delta": {"role": "assistant"}}]},
    {"id": "c-1", "object": "chat.completion.chunk", "choices": [{"delta": {"content": "It is "}}]},
    {"id": "c-1", "object": "chat.completion.chunk", "choices": [{"delta": {"content": "here."}}]},
    {"id": "c-1", "object": "chat.completion.chunk", "choices": [{"delta": {}, "finish_reason": "stop"}]},
    {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "choices": [],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
    },
]
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-5.2",
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "It is here."}]},
    ],
    "usage": {
        "input_tokens": 20,
        "output_tokens": 8,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 6},
    },
}
RESPONSE_CHUNKS = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_text.delta", "delta": "It is "},
    {"type": "response.output_text.delta", "delta": "here."},
    {"type": "response.completed", "response": RESPONSE},
]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "It is on its way."}],
    "stop_reason": "end_turn",
    "usage": {
        "input_tokens": 10,
        "output_tokens": 7,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
    },
}
MESSAGE_CHUNKS = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_2",
            "type": "message",
            "model": "claude-sonnet-4-5",
            "content": [],
            "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "It is "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "here."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]
