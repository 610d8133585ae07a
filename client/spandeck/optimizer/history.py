"""A conversation made shorter: old tool results as stubs, turns of the middle left out, calls and results in pairs.

Messages are those of OpenAI (`role: tool`) and of Anthropic (blocks `tool_result` in a user message).
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

Message = Mapping[str, Any]
Rewrite = Callable[[str], str]

_DIGEST_BYTES: Final = 4
_INSTRUCTIONS: Final = frozenset({"system", "developer"})


def characters(messages: Sequence[Message]) -> int:
    """The size of the messages: characters of text, and of JSON for any other content."""
    return sum(_size(value) for message in messages for name, value in message.items() if name != "role")


def last_question(messages: Sequence[Message]) -> str:
    """The text of the user's last turn, or "" where there is none."""
    for message in reversed(messages):
        if _starts_turn(message):
            return " ".join(_texts(message.get("content")))
    return ""


def turn_starts(messages: Sequence[Message]) -> list[int]:
    """Where the user speaks: the positions at which turns begin."""
    return [position for position, message in enumerate(messages) if _starts_turn(message)]


def result_positions(messages: Sequence[Message]) -> list[int]:
    """The positions of the messages that carry tool results."""
    return [position for position, message in enumerate(messages) if _has_result(message)]


def stub(text: str) -> str:
    """One line in place of a tool result, by which it can be recognised; the text itself where that is shorter."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
    line = f"[tool result left out: {len(text):,} characters, {digest}]"
    return line if len(line) < len(text) else text


def without_middle_turns(messages: Sequence[Message], keep_turns: int, limit: int) -> list[Message]:
    """Whole turns left out, oldest first, until `limit` characters are reached: never the first, nor the last few."""
    starts = [*turn_starts(messages), len(messages)]
    spans = list(pairwise(starts))
    excess = characters(messages) - limit
    dropped: set[int] = set()
    for start, end in spans[1 : max(1, len(spans) - keep_turns)]:
        if excess <= 0:
            break
        excess -= characters(messages[start:end])
        dropped.update(range(start, end))
    return [message for position, message in enumerate(messages) if position not in dropped]


def rewrite_results(messages: Sequence[Message], positions: Sequence[int], rewrite: Rewrite) -> list[Message]:
    """The messages with the texts of the tool results at `positions` rewritten; ids and all else stay."""
    chosen = frozenset(positions)
    return [
        _with_results(message, rewrite) if position in chosen else message for position, message in enumerate(messages)
    ]


def rewrite_texts(messages: Sequence[Message], rewrite: Rewrite) -> list[Message]:
    """The messages with every text but that of instructions rewritten."""
    return [message if message.get("role") in _INSTRUCTIONS else _with_texts(message, rewrite) for message in messages]


def result_texts(message: Message) -> Iterator[str]:
    """The texts of the tool results in `message`."""
    content = message.get("content")
    if message.get("role") == "tool":
        yield from _texts(content)
    elif isinstance(content, list):
        for block in content:
            if _is_result(block):
                yield from _texts(block.get("content"))


def _with_results(message: Message, rewrite: Rewrite) -> Message:
    content = message.get("content")
    if message.get("role") == "tool":
        return {**message, "content": _rewritten(content, rewrite)}
    if not isinstance(content, list):
        return message
    return {**message, "content": [_block(block, rewrite) if _is_result(block) else block for block in content]}


def _with_texts(message: Message, rewrite: Rewrite) -> Message:
    if "content" not in message:
        return message
    content = message["content"]
    if isinstance(content, list):
        content = [_block(block, rewrite) if _is_result(block) else block for block in content]
    return {**message, "content": _rewritten(content, rewrite)}


def _block(block: Any, rewrite: Rewrite) -> Any:
    return {**block, "content": _rewritten(block.get("content"), rewrite)}


def _rewritten(content: Any, rewrite: Rewrite) -> Any:
    if isinstance(content, str):
        return rewrite(content)
    if isinstance(content, list):
        return [{**part, "text": rewrite(part["text"])} if _is_text(part) else part for part in content]
    return content


def _starts_turn(message: Message) -> bool:
    return message.get("role") == "user" and not _has_result(message)


def _has_result(message: Message) -> bool:
    content = message.get("content")
    return message.get("role") == "tool" or (isinstance(content, list) and any(map(_is_result, content)))


def _is_result(block: object) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "tool_result"


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        yield from (part["text"] for part in content if _is_text(part))


def _size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    return 0 if value is None else len(json.dumps(value, default=str, ensure_ascii=False))
