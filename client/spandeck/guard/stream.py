"""Redaction of a stream: what comes out is what redacting the whole text would give, as early as that is sure."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Final

from spandeck.guard.placeholders import Placeholders
from spandeck.guard.redaction import Redactor
from spandeck.guard.sensitive import Sensitive
from spandeck_schema.secrets import LONGEST_KEY, REACH

# After a word in small letters and before white space nothing sensitive can be under way ...
_WORD_END: Final = re.compile(r"(?<![^\s(\"'])[^\W\d_A-Z]{0,40}[a-z][^\W\d_A-Z]{0,40}[,.;!?)]?(?=\s)")
# ... unless words shortly before announce a value.
_ANNOUNCED: Final = re.compile(
    r"pass|pwd|secret|token|key|credential|bearer|basic|aws|version|-----BEGIN [A-Z ]*PRIVATE|[\"':=]\s*\Z",
    re.IGNORECASE,
)
_LONGEST_WORD: Final = 96
_KEY_BEGINS: Final = "-----BEGIN"
_KEY_ENDS: Final = re.compile(r"-----END [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----")
# A text without a single word end is given out at this length, in characters: the only inexactness.
MOST_HELD: Final = 4 * LONGEST_KEY


class StreamRedactor:
    """Redacts chunks as they come: `feed` each, then `close`; the pieces joined are the redacted whole.

    Holds back the words that may still become something sensitive, as a rule the last one or two, and at most
    65,536 characters. For one stream and one thread at a time. `spans` has what was found, in offsets of the whole.
    """

    def __init__(self, redactor: Redactor, placeholders: Placeholders | None = None) -> None:
        """`placeholders` as for `Redactor.redact`; own recognizers of `redactor` see whole lines."""
        self._redactor = redactor
        self._placeholders = Placeholders() if placeholders is None else placeholders
        self._held = ""
        self._searched_count = 0
        self._given_count = 0
        self.spans: list[Sensitive] = []

    def feed(self, chunk: str) -> str:
        """Take `chunk` and give what can be given of all that came so far, maybe nothing."""
        self._held += chunk
        return self._give(self._sure_length())

    def close(self) -> str:
        """The stream is over: give the rest."""
        return self._give(len(self._held))

    def stream(self, chunks: Iterable[str]) -> Iterator[str]:
        """Yield `chunks` redacted, none empty."""
        for chunk in chunks:
            if given := self.feed(chunk):
                yield given
        if rest := self.close():
            yield rest

    async def astream(self, chunks: AsyncIterable[str]) -> AsyncIterator[str]:
        """As `stream`, for asynchronous `chunks`."""
        async for chunk in chunks:
            if given := self.feed(chunk):
                yield given
        if rest := self.close():
            yield rest

    def _give(self, length: int) -> str:
        if not length:
            return ""
        piece, self._held = self._held[:length], self._held[length:]
        self._searched_count = 0
        redaction = self._redactor.redact(piece, self._placeholders)
        at = self._given_count
        self.spans += (Sensitive(span.start + at, span.end + at, span.kind) for span in redaction.spans)
        self._given_count += length
        return redaction.text

    def _sure_length(self) -> int:
        """How much of what is held can be redacted by itself, whatever follows."""
        held = self._held
        if self._redactor.recognizers:
            return held.rfind("\n") + 1
        if len(held) > MOST_HELD:
            return len(held) - MOST_HELD // 2
        searched = max(0, self._searched_count - _LONGEST_WORD)
        self._searched_count = len(held)
        for match in reversed(list(_WORD_END.finditer(held, searched))):
            end = match.end()
            if not _ANNOUNCED.search(held, max(0, end - REACH), end) and not _within_key(held, end):
                return end
        return 0


def _within_key(text: str, end: int) -> bool:
    begins = text.rfind(_KEY_BEGINS, 0, end)
    return begins >= 0 and _KEY_ENDS.search(text, begins, end) is None
