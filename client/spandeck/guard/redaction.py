"""Redaction: personal data and secrets leave a text, and nothing else changes.

What is found is told in `spandeck.guard.sensitive`: things with a shape or a check digit. Names and street
addresses have neither and stay; a `Recognizer` of yours can find them.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from spandeck.guard import views
from spandeck.guard.placeholders import Placeholders
from spandeck.guard.sensitive import KINDS, Recognizer, Sensitive, find

Mode = Literal["mask", "placeholder"]
# What the mask of a kind says where it is not the kind itself.
_MASK_NAMES: Final = {"CARD": "CREDIT_CARD"}
_MOST_ROUNDS: Final = 8


@dataclass(frozen=True)
class Redaction:
    """A redacted text, and where in the original each thing stood that is gone: start, end, kind, in order.

    `error` is set where a recognizer failed; what the others found is redacted.
    """

    text: str
    spans: tuple[Sensitive, ...]
    error: str | None = None


class Redactor:
    """Finds and replaces sensitive parts of texts. Safe for any thread; compiled when first used.

    `mode` "mask" writes [EMAIL], [PHONE], [CREDIT_CARD], [SSN], [IBAN], [IP], [SECRET]; "placeholder" writes
    <EMAIL_1> and so on, the same for the same value, which `Placeholders.restore` turns back. `kinds` are what
    is looked for, by default all; `recognizers` find more. Raises `ValueError` for an unknown kind or mode.
    """

    def __init__(
        self,
        mode: Mode = "mask",
        *,
        kinds: Iterable[str] = KINDS,
        recognizers: Sequence[Recognizer] = (),
    ) -> None:
        self.mode: Mode = mode
        self.kinds = tuple(kinds)
        self.recognizers = tuple(recognizers)
        if mode not in ("mask", "placeholder"):
            raise ValueError(f'Mode {mode!r} is unknown: use "mask" or "placeholder".')
        if unknown := set(self.kinds) - set(KINDS):
            raise ValueError(f"Kinds {sorted(unknown)} are unknown: use some of {', '.join(KINDS)}.")

    def redact(self, text: str, placeholders: Placeholders | None = None) -> Redaction:
        """`text` without what is sensitive. Applied again, it changes nothing more.

        `placeholders` keeps what placeholders stand for; one for all texts of a request lets the model's answer
        be restored. Without it, in mode "placeholder", numbers start at 1 and nothing can be restored.
        """
        failed: list[str] = []
        spans = tuple(self._spans(text, failed))
        error = f"Recognizers failed: {', '.join(dict.fromkeys(failed))}" if failed else None
        if self.mode == "mask" or not spans:
            return Redaction(_replace(text, spans, _mask), spans, error)
        kept = Placeholders() if placeholders is None else placeholders
        kept.reserve(text)
        return Redaction(_replace(text, spans, kept.placeholder), spans, error)

    def _spans(self, text: str, failed: list[str]) -> list[Sensitive]:
        """What to replace: looked for again in the masked text until nothing more is found."""
        spans: list[Sensitive] = []
        for _ in range(_MOST_ROUNDS):
            masked = _replace(text, spans, _mask)
            found = _first_of_overlapping(self._found(masked, failed), self.kinds)
            if not found:
                break
            spans = _merged(spans, [_in_original(one, spans) for one in found])
        return spans

    def _found(self, text: str, failed: list[str]) -> list[Sensitive]:
        clean, offsets = views.without_invisible(text)
        found = list(find(clean, self.kinds))
        if offsets is not None:
            found = [Sensitive(offsets[one.start], offsets[one.end - 1] + 1, one.kind) for one in found]
        for recognizer in self.recognizers:
            try:
                found += [one for one in recognizer.find(text) if 0 <= one.start < one.end <= len(text)]
            except Exception as error:
                failed.append(type(error).__name__)
        return found


def _mask(kind: str, _value: str) -> str:
    return f"[{_MASK_NAMES.get(kind, kind)}]"


def _replace(text: str, spans: Sequence[Sensitive], name: Callable[[str, str], str]) -> str:
    pieces: list[str] = []
    at = 0
    for span in spans:
        pieces += text[at : span.start], name(span.kind, text[span.start : span.end])
        at = span.end
    return "".join(pieces) + text[at:]


def _first_of_overlapping(found: Iterable[Sensitive], kinds: Sequence[str]) -> list[Sensitive]:
    """Of those that overlap the kind named first, then the longest; in the order of the text."""
    rank = {kind: place for place, kind in enumerate(kinds)}
    taken: list[Sensitive] = []
    starts: list[int] = []
    for one in sorted(found, key=lambda one: (rank.get(one.kind, len(rank)), one.start - one.end, one.start)):
        place = bisect_right(starts, one.start)
        free_before = place == 0 or taken[place - 1].end <= one.start
        if free_before and (place == len(taken) or taken[place].start >= one.end):
            taken.insert(place, one)
            starts.insert(place, one.start)
    return taken


def _in_original(found: Sensitive, spans: Sequence[Sensitive]) -> Sensitive:
    """`found` in the masked text, told in offsets of the original; a mask that it touches is in it as a whole."""
    start, end = found.start, found.end
    shift = 0
    for span in spans:
        mask_start = span.start - shift
        mask_end = mask_start + len(_mask(span.kind, ""))
        lost = (span.end - span.start) - (mask_end - mask_start)
        if found.start >= mask_end:
            start = found.start + shift + lost
        elif found.start > mask_start:
            start = span.start
        if found.end >= mask_end:
            end = found.end + shift + lost
        elif found.end > mask_start:
            end = span.end
        shift += lost
    return Sensitive(start, end, found.kind)


def _merged(spans: Sequence[Sensitive], more: Sequence[Sensitive]) -> list[Sensitive]:
    """All spans; an old one that touches a new one becomes part of it."""
    kept = [span for span in spans if not any(new.start < span.end and span.start < new.end for new in more)]
    return sorted([*kept, *more], key=lambda span: span.start)
