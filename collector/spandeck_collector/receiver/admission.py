"""What is let in: pure functions from headers and bytes to an `Admitted` request, or `RefusedError` with the reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError, Message

from spandeck_collector import access
from spandeck_collector.access import AccessError
from spandeck_collector.receiver.item_limits import check_json, check_json_text, check_protobuf
from spandeck_collector.receiver.large_bodies import LargeBody
from spandeck_collector.receiver.large_json import LargeJson
from spandeck_collector.receiver.otlp_json import OtlpJsonError, message_from_json
from spandeck_collector.receiver.otlp_signals import TRACES, OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError
from spandeck_collector.wire import without_deep_messages

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_NO_TRACE_ID = bytes(_TRACE_ID_BYTES)
_NO_SPAN_ID = bytes(_SPAN_ID_BYTES)
_LARGE_BYTES = 1 << 20
_MOST_FIELDS_LOOKED_AT = 1_000_000
_REASONS = {400: Reason.HEADERS, 401: Reason.TOKEN, 403: Reason.FOREIGN}


class Media(Enum):
    """The two encodings of OTLP/HTTP; the value is the media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


@dataclass(frozen=True)
class Admitted:
    """What to store: protobuf bytes of the signal's export request (empty: nothing), and what the sender is told."""

    body: bytes
    rejected_count: int = 0
    message: str = ""


def media_of(content_type: str | None) -> Media:
    """The encoding that a Content-Type names, whatever its case and parameters; raises `RefusedError`."""
    essence = (content_type or "").partition(";")[0].strip().lower()
    try:
        return Media(essence)
    except ValueError:
        raise RefusedError(Reason.MEDIA_TYPE) from None


def check_token(authorizations: Sequence[str], token: str | None, setting: str = "SPANDECK_INGEST_TOKEN") -> None:
    """Demand a token, where one is set (`access.check_token`); raises `RefusedError`."""
    try:
        access.check_token(authorizations, token, setting)
    except AccessError as error:
        raise _refusal(error) from error


def check_host(hosts: Sequence[str], origins: Sequence[str], names: Collection[str]) -> None:
    """Keep web pages of other sites out (`access.check_host`); raises `RefusedError`."""
    try:
        access.check_host(hosts, origins, names)
    except AccessError as error:
        raise _refusal(error) from error


def _refusal(error: AccessError) -> RefusedError:
    return RefusedError(_REASONS[error.status], str(error))


def admit(otlp: OtlpSignal, body: bytes, media: Media) -> Admitted:
    """Check that `body` is an export request, and take out the spans whose ids are wrong; raises `RefusedError`."""
    try:
        if media is Media.JSON:
            return _admit_json(otlp, body)
        check_protobuf(otlp, body)
        return _admit_large(otlp, body) if len(body) > _LARGE_BYTES else _admit_small(otlp, body)
    except DecodeError as error:
        raise RefusedError(Reason.MALFORMED, f"The body is not a valid {otlp.request.__name__}.") from error
    except OtlpJsonError as error:
        raise RefusedError(
            Reason.MALFORMED, f"The body is not a valid {otlp.request.__name__} in JSON: {error}."
        ) from error


def _admit_json(otlp: OtlpSignal, body: bytes) -> Admitted:
    if len(body) > _LARGE_BYTES:
        large = LargeJson(otlp, body, take_out_wrong if otlp is TRACES else lambda _items: 0)
        return _admitted_large(large)
    check_json_text(body)
    request, has_cut = message_from_json(body, otlp.request, partial(check_json, otlp))
    return _admitted(otlp, request, None, has_cut=has_cut)


def _admit_small(otlp: OtlpSignal, body: bytes) -> Admitted:
    try:
        return _admitted(otlp, otlp.request.FromString(body), body, has_cut=False)
    except DecodeError:
        cut = without_deep_messages(otlp.request, body, _MOST_FIELDS_LOOKED_AT)
        if cut is None:
            raise
        return _admitted(otlp, otlp.request.FromString(cut), cut, has_cut=True)


def _admit_large(otlp: OtlpSignal, body: bytes) -> Admitted:
    large = LargeBody(otlp, body, has_wrong_ids if otlp is TRACES else _is_never_wrong)
    return _admitted_large(large)


def _admitted_large(large: LargeBody | LargeJson) -> Admitted:
    message = _message(large.wrong_count, large.kept_count, has_cut=large.has_cut)
    return Admitted(large.kept if large.kept_count else b"", large.wrong_count, message)


def _admitted(otlp: OtlpSignal, request: Message, body: bytes | None, *, has_cut: bool) -> Admitted:
    """The outcome for a parsed request, whose encoded form is `body`, where there is one."""
    rejected = sum(map(take_out_wrong, otlp.item_lists(request))) if otlp is TRACES else 0
    kept = sum(map(len, otlp.item_lists(request)))
    message = _message(rejected, kept, has_cut=has_cut)
    if not kept:
        return Admitted(b"", rejected, message)
    return Admitted(request.SerializeToString() if rejected or body is None else body, rejected, message)


def take_out_wrong(spans: Any) -> int:
    """Delete the spans whose ids are wrong; how many those were."""
    wrong = [index for index, span in enumerate(spans) if has_wrong_ids(span)]
    for index in reversed(wrong):
        del spans[index]
    return len(wrong)


def has_wrong_ids(span: Any) -> bool:
    """Whether a span's trace_id is not 16 bytes or its span_id not 8, or one is all zero."""
    trace_id, span_id = span.trace_id, span.span_id
    return (
        len(trace_id) != _TRACE_ID_BYTES
        or len(span_id) != _SPAN_ID_BYTES
        or trace_id == _NO_TRACE_ID
        or span_id == _NO_SPAN_ID
    )


def _is_never_wrong(_item: Any) -> bool:
    return False


def _message(rejected: int, kept: int, *, has_cut: bool) -> str:
    """What the sender is told of a request that was taken, "" where all is well."""
    sentences = []
    if rejected:
        sentences.append(
            f"{rejected} of {rejected + kept} spans were refused: a trace_id must be 16 bytes and a span_id 8 bytes "
            "(in JSON 32 and 16 hex digits), not all zero."
        )
    if has_cut:
        sentences.append("Values nested deeper than 32 levels are stored without what is below: send flatter ones.")
    return " ".join(sentences)
