"""A conversation of many turns, each sending all before it again, as three dialects tell it."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Message = tuple[str, str]
Span = dict[str, Any]


def messages(turns: int, seed: int = 7) -> list[Message]:
    """A question and an answer a turn, of 100 to 2,000 characters."""
    dice = random.Random(seed)
    words = ["".join(dice.choices("etaoinshrdlu", k=dice.randint(2, 9))) for _ in range(2_000)]
    sizes = [dice.randint(15, 300) for _ in range(2 * turns)]
    return [("user" if n % 2 == 0 else "assistant", " ".join(dice.choices(words, k=k))) for n, k in enumerate(sizes)]


def _parts(message: Message) -> dict[str, Any]:
    role, text = message
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def genai(sent: list[Message], answer: Message) -> Span:
    """OpenTelemetry GenAI messages."""
    return {
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": json.dumps([_parts(message) for message in sent]),
            "gen_ai.output.messages": json.dumps([_parts(answer)]),
        }
    }


def openinference(sent: list[Message], answer: Message) -> Span:
    """OpenInference: the same as JSON and, key by key, flattened."""
    attributes = {"openinference.span.kind": "LLM", "input.mime_type": "application/json"}
    attributes["input.value"] = json.dumps({"messages": [{"role": role, "content": text} for role, text in sent]})
    for family, told in (("input", sent), ("output", [answer])):
        for number, (role, text) in enumerate(told):
            prefix = f"llm.{family}_messages.{number}.message"
            attributes |= {f"{prefix}.role": role, f"{prefix}.content": text}
    return {"attributes": attributes}


def strands(sent: list[Message], answer: Message) -> Span:
    """Span events, one a message."""
    events = [
        {"name": f"gen_ai.{role}.message", "attributes": {"content": json.dumps([{"text": text}])}}
        for role, text in sent
    ]
    events.append({"name": "gen_ai.choice", "attributes": {"message": answer[1], "finish_reason": "end_turn"}})
    return {"attributes": {"gen_ai.operation.name": "chat"}, "events": events}


def spans(tell: Callable[[list[Message], Message], Span], turns: int) -> Iterator[Span]:
    """One span a turn."""
    spoken = messages(turns)
    for turn in range(turns):
        yield {"id": turn + 1, "at_ms": turn} | tell(spoken[: 2 * turn + 1], spoken[2 * turn + 1])


def text_bytes(span: Span) -> int:
    """UTF-8 bytes of what a span carries: keys and values of its attributes and events."""
    maps = [span["attributes"], *(event["attributes"] for event in span.get("events", ()))]
    return sum(len(key.encode()) + len(str(value).encode()) for each in maps for key, value in each.items())
