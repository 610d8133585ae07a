"""Prompts above a limit made shorter, in this order: without loss, then old history, then what the query asks for."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from spandeck.attributes import logger
from spandeck.optimizer import history
from spandeck.optimizer.history import Message
from spandeck.optimizer.lossless import lossless
from spandeck.optimizer.recording import record
from spandeck.optimizer.selection import select
from spandeck_schema import semantic_conventions as names

DEFAULT_LIMIT: Final = 4_000
DEFAULT_TURNS: Final = 4
# A tool result is never cut below this.
_LEAST_RESULT_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Compressed:
    """What is to be sent: `text`, or `messages` where messages were given.

    `before` and `after` are characters, `methods` what was done in order (`lossless`, `history`, `selection`), and
    `lossy` tells that something was left out. A content above the limit that has no query stays above it.
    """

    text: str = ""
    messages: list[Message] = field(default_factory=list)
    before: int = 0
    after: int = 0
    methods: tuple[str, ...] = ()

    @property
    def lossy(self) -> bool:
        """True where something was left out."""
        return bool(set(self.methods) - {"lossless"})


def compress(
    content: str | Sequence[Message],
    query: str | None = None,
    limit: int = DEFAULT_LIMIT,
    *,
    keep_turns: int = DEFAULT_TURNS,
) -> Compressed:
    """`content`, a text or a list of messages, in at most `limit` characters where that can be done honestly.

    At or below the limit nothing changes. A text is shortened by `query`, and without one only without loss. Of
    messages, the instructions, the first turn of the user and the last `keep_turns` stay; old tool results become
    stubs with a digest, then whole turns of the middle go, then long tool results are shortened by `query` (default:
    the user's last turn). JSON keeps its values, fenced code its letters: both are kept or left out whole. What is
    given is not changed. Recorded on the open span. Raises `ValueError` for a limit below 1, else nothing.
    """
    if limit < 1 or keep_turns < 0:
        raise ValueError(f"limit is {limit} and keep_turns {keep_turns}: give at least 1 character, and 0 turns.")
    started_s = time.perf_counter()
    try:
        if isinstance(content, str):
            done = _text(content, query, limit)
        else:
            done = _messages(list(content), query, limit, keep_turns)
    except Exception:
        logger.debug("a prompt was not compressed", exc_info=True)
        return Compressed(content) if isinstance(content, str) else Compressed(messages=list(content))
    if done.methods or done.before > limit:
        record(
            {
                names.SPANDECK_COMPRESS_BEFORE: done.before,
                names.SPANDECK_COMPRESS_AFTER: done.after,
                names.SPANDECK_COMPRESS_METHODS: done.methods,
                names.SPANDECK_COMPRESS_LOSSY: done.lossy,
                names.SPANDECK_COMPRESS_DURATION_S: time.perf_counter() - started_s,
            }
        )
    return done


def _text(text: str, query: str | None, limit: int) -> Compressed:
    if len(text) <= limit:
        return Compressed(text, before=len(text), after=len(text))
    methods: list[str] = []
    short = lossless(text)
    if len(short) < len(text):
        methods.append("lossless")
    if len(short) > limit and query and query.strip():
        selected = select(short, query, limit)
        if len(selected) < len(short):
            short = selected
            methods.append("selection")
    return Compressed(short, before=len(text), after=len(short), methods=tuple(methods))


class _Conversation:
    """Messages on their way to the limit, and what was done to them."""

    def __init__(self, messages: list[Message], limit: int) -> None:
        self.messages = messages
        self.methods: list[str] = []
        self._limit = limit

    @property
    def excess(self) -> int:
        return history.characters(self.messages) - self._limit

    def becomes(self, messages: list[Message], method: str) -> None:
        """Take `messages` if they are shorter."""
        if history.characters(messages) < history.characters(self.messages):
            self.messages = messages
            if method not in self.methods:
                self.methods.append(method)


def _messages(messages: list[Message], query: str | None, limit: int, keep_turns: int) -> Compressed:
    talk = _Conversation(messages, limit)
    before = history.characters(messages)
    if talk.excess > 0:
        talk.becomes(history.rewrite_texts(messages, lossless), "lossless")
    if talk.excess > 0:
        _stub_old_results(talk, keep_turns)
    if talk.excess > 0:
        talk.becomes(history.without_middle_turns(talk.messages, keep_turns, limit), "history")
    if talk.excess > 0:
        _select_in_results(talk, query or history.last_question(messages))
    after = history.characters(talk.messages)
    return Compressed(messages=talk.messages, before=before, after=after, methods=tuple(talk.methods))


def _stub_old_results(talk: _Conversation, keep: int) -> None:
    """Results before the last `keep` turns first; where that is not enough, all but the last `keep` results."""
    results = history.result_positions(talk.messages)
    starts = history.turn_starts(talk.messages)
    recent = starts[-keep] if 0 < keep <= len(starts) else (0 if keep else len(talk.messages))
    for old in ([position for position in results if position < recent], results[: max(0, len(results) - keep)]):
        if talk.excess > 0:
            talk.becomes(history.rewrite_results(talk.messages, old, history.stub), "history")


def _select_in_results(talk: _Conversation, query: str) -> None:
    """The longest results first, each by as much as is still too much."""
    if not query.strip():
        return
    positions = history.result_positions(talk.messages)
    by_size = sorted(positions, key=lambda at: -max(map(len, history.result_texts(talk.messages[at])), default=0))
    for position in by_size:
        if (excess := talk.excess) <= 0:
            return
        longest = max(map(len, history.result_texts(talk.messages[position])), default=0)
        room = max(_LEAST_RESULT_CHARACTERS, longest - excess)
        shorten = partial(select, query=query, limit=room)
        talk.becomes(history.rewrite_results(talk.messages, [position], shorten), "selection")
