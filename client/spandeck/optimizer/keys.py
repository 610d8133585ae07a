"""Cache keys: canonical JSON under blake2b, so that nothing of one tenant can meet a lookup of another."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Message = Mapping[str, object]
Prompt = str | Sequence[Message]

_DIGEST_BYTES = 20


@dataclass(frozen=True, slots=True)
class Question:
    """A lookup taken apart: the `scope` that must be equal, and the text in it that may be worded differently.

    `wordable` is false where the text is no sentence of a person, so that only the exact key serves.
    """

    scope: str
    text: str
    wordable: bool

    @property
    def key(self) -> str:
        """The exact key: the scope and the text, to the letter."""
        return digest([self.scope, self.text])


def digest(value: object) -> str:
    """`value`, made of what JSON has, as 40 hex digits; equal values in any order of keys give equal digests.

    Raises `TypeError` for what JSON does not have and `ValueError` for NaN: such a call cannot be told from another.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def question(prompt: Prompt, key: Mapping[str, object]) -> Question:
    """The question that `prompt` asks under `key`; of a conversation only the last turn of the user may vary.

    `temperature` counts in steps of 0.1; a part that is None counts as not given.
    """
    parts = {name: value for name, value in key.items() if value is not None}
    if isinstance(temperature := parts.get("temperature"), int | float):
        parts["temperature"] = round(float(temperature), 1)
    if isinstance(prompt, str):
        return Question(digest([parts, None]), prompt.strip(), True)
    *history, last = [dict(message) for message in prompt]
    content = last.get("content")
    if last.get("role") == "user" and set(last) <= {"role", "content"} and isinstance(content, str):
        return Question(digest([parts, history]), content.strip(), True)
    return Question(digest([parts, history]), json.dumps(last, sort_keys=True, allow_nan=False), False)
