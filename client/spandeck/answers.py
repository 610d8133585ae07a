"""What the answers and chunks of the OpenAI and Anthropic SDKs say of themselves, as objects or as dicts.

Shapes: OpenAI chat completions (`choices`) and responses (`object` = "response"), Anthropic messages
(`type` = "message") and their streams. Anything else is read for what it has: text of a string, nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spandeck.attributes import count, logger
from spandeck.prices import Usage


@dataclass
class Answer:
    """What is known of one answer; None is unknown. `text` is None where the answer is no text."""

    text: str | None = None
    model: str | None = None
    id: str | None = None
    finish_reasons: tuple[str, ...] | None = None
    usage: Usage = field(default_factory=Usage)

    def _add(self, text: str | None) -> bool:
        if text:
            self.text = (self.text or "") + text
        return bool(text)


def read(answer: object) -> Answer:
    """Read a whole answer. Never raises: what cannot be read is unknown."""
    try:
        return _read(answer)
    except Exception:
        logger.debug("an answer could not be read", exc_info=True)
        return Answer()


def _read(answer: object) -> Answer:
    if isinstance(answer, str):
        return Answer(text=answer)
    choices = get(answer, "choices")
    if choices:
        return _read_chat(answer, choices)
    if get(answer, "object") == "response":
        return _read_response(answer)
    if get(answer, "type") == "message" or get(answer, "stop_reason") is not None:
        return _read_message(answer)
    return Answer(model=_text(get(answer, "model")), usage=_usage(get(answer, "usage")))


def hear(heard: Answer, chunk: object) -> bool:
    """Add one chunk of a streamed answer to `heard`; True where it has content. Never raises.

    A chunk of no known kind is content: it is what the program's own stream yields.
    """
    try:
        if isinstance(chunk, str):
            return heard._add(chunk)
        kind = get(chunk, "type")
        if get(chunk, "object") == "chat.completion.chunk" or get(chunk, "choices") is not None:
            return _hear_chat(heard, chunk)
        if isinstance(kind, str) and kind.startswith("response."):
            return _hear_response(heard, chunk, kind)
        if kind in _MESSAGE_EVENTS:
            return _hear_message(heard, chunk, kind)
    except Exception:
        return True
    return True


def get(thing: object, name: str) -> Any:
    """A key of a mapping or an attribute of an object; None where there is none."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


_MESSAGE_EVENTS = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "ping",
    }
)


def _read_chat(answer: object, choices: Iterable[object]) -> Answer:
    choices = list(choices)
    message = get(choices[0], "message")
    return Answer(
        text=_text(get(message, "content")),
        model=_text(get(answer, "model")),
        id=_text(get(answer, "id")),
        finish_reasons=_reasons(get(choice, "finish_reason") for choice in choices),
        usage=_usage(get(answer, "usage")),
    )


def _read_response(answer: object) -> Answer:
    parts = [
        get(part, "text")
        for item in get(answer, "output") or ()
        if get(item, "type") == "message"
        for part in get(item, "content") or ()
    ]
    return Answer(
        text=_joined(parts),
        model=_text(get(answer, "model")),
        id=_text(get(answer, "id")),
        finish_reasons=_reasons([get(answer, "status")]),
        usage=_usage(get(answer, "usage")),
    )


def _read_message(answer: object) -> Answer:
    return Answer(
        text=_joined(get(block, "text") for block in get(answer, "content") or ()),
        model=_text(get(answer, "model")),
        id=_text(get(answer, "id")),
        finish_reasons=_reasons([get(answer, "stop_reason")]),
        usage=_message_usage(get(answer, "usage")),
    )


def _hear_chat(heard: Answer, chunk: object) -> bool:
    heard.model = _text(get(chunk, "model")) or heard.model
    heard.id = _text(get(chunk, "id")) or heard.id
    heard.usage = heard.usage.updated(_usage(get(chunk, "usage")))
    choices = get(chunk, "choices") or []
    heard.finish_reasons = _reasons(get(choice, "finish_reason") for choice in choices) or heard.finish_reasons
    deltas = [get(choice, "delta") for choice in choices]
    called = any(get(delta, "tool_calls") for delta in deltas)
    return heard._add(_text(get(deltas[0], "content")) if deltas else None) or called


def _hear_response(heard: Answer, chunk: object, kind: str) -> bool:
    whole = get(chunk, "response")
    if whole is not None:
        told = _read_response(whole)
        heard.model, heard.id = told.model or heard.model, told.id or heard.id
        heard.usage = heard.usage.updated(told.usage)
        if kind == "response.completed":
            heard.finish_reasons = told.finish_reasons
    if kind == "response.output_text.delta":
        return heard._add(_text(get(chunk, "delta")))
    return kind.endswith(".delta")


def _hear_message(heard: Answer, chunk: object, kind: str) -> bool:
    if kind == "message_start":
        message = get(chunk, "message")
        heard.model, heard.id = _text(get(message, "model")), _text(get(message, "id"))
        heard.usage = heard.usage.updated(_message_usage(get(message, "usage")))
    elif kind == "message_delta":
        heard.finish_reasons = _reasons([get(get(chunk, "delta"), "stop_reason")]) or heard.finish_reasons
        told = get(chunk, "usage")
        # Only the output is final here; where the input is told again it is the same number.
        heard.usage = heard.usage.updated(Usage(output_tokens=count(get(told, "output_tokens"))))
    elif kind == "content_block_delta":
        delta = get(chunk, "delta")
        return heard._add(_text(get(delta, "text"))) or get(delta, "partial_json") is not None
    return False


def _usage(usage: object) -> Usage:
    """OpenAI's usage: input includes cached tokens, output includes reasoning."""
    given = _details(usage, "prompt_tokens_details", "input_tokens_details")
    made = _details(usage, "completion_tokens_details", "output_tokens_details")
    return Usage(
        input_tokens=_first(usage, "prompt_tokens", "input_tokens"),
        output_tokens=_first(usage, "completion_tokens", "output_tokens"),
        cache_read_tokens=count(get(given, "cached_tokens")),
        reasoning_tokens=count(get(made, "reasoning_tokens")),
    )


def _message_usage(usage: object) -> Usage:
    """Anthropic's usage: its input excludes what the cache read and wrote, OTel's includes it."""
    fresh = count(get(usage, "input_tokens"))
    read = count(get(usage, "cache_read_input_tokens"))
    written = count(get(usage, "cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=count(get(usage, "output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


def _details(usage: object, *candidates: str) -> object:
    return next((found for name in candidates if (found := get(usage, name)) is not None), None)


def _first(usage: object, *candidates: str) -> int | None:
    return next((found for name in candidates if (found := count(get(usage, name))) is not None), None)


def _reasons(reasons: Iterable[object]) -> tuple[str, ...] | None:
    return tuple(str(reason) for reason in reasons if reason is not None) or None


def _joined(parts: Iterable[object]) -> str | None:
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if texts else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
