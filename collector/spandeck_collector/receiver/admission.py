"""What is let in: pure functions from headers and bytes to an `Admitted` request, or `RefusedError` with the reason."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError, Message

from spandeck_collector import access
from spandeck_collector.access import AccessError
from spandeck_collector.receiver.item_limits import check_json, check_json_text, check_protobuf
from spandeck_collector.receiver.otlp_json import OtlpJsonError, message_from_json
from spandeck_collector.receiver.otlp_signals import TRACES, OtlpSignal
from spandeck_collector.receiver.outcomes import Reason, RefusedError

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_NO_TRACE_ID = bytes(_TRACE_ID_BYTES)
_NO_SPAN_ID = bytes(_SPAN_ID_BYTES)
_INPUT_STEP_BYTES = 64 << 10
_OUTPUT_STEP_BYTES = 1 << 20
_MAX_GZIP_MEMBERS = 1_000
_REASONS = {400: Reason.HEADERS, 401: Reason.TOKEN, 403: Reason.FOREIGN}
WRONG_IDS = "A span's trace_id is not 16 bytes or its span_id not 8, or one is all zero."


class Media(Enum):
    """The two encodings of OTLP/HTTP; the value is the media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


@dataclass(frozen=True)
class Admitted:
    """What to store: protobuf bytes of the signal's export request (empty: nothing), and what was left out."""

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


def check_token(authorizations: Sequence[str], token: str | None) -> None:
    """Demand the ingest token, where one is set (`access.check_token`); raises `RefusedError`."""
    try:
        access.check_token(authorizations, token, "SPANDECK_INGEST_TOKEN")
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


def decompressed(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """`body` without gzip or deflate; raises `RefusedError` for another coding, a bad stream, or above `limit`."""
    encoding = (content_encoding or "identity").strip().lower()
    if encoding == "identity":
        plain = body
    elif encoding in {"gzip", "x-gzip"}:
        plain = _inflated(body, 16 + zlib.MAX_WBITS, limit)
    elif encoding == "deflate":
        plain = _inflated(body, zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS, limit)
    else:
        raise RefusedError(Reason.ENCODING)
    if len(plain) > limit:
        raise too_large(limit)
    return plain


def too_large(limit: int) -> RefusedError:
    """The refusal of a body above `limit` bytes."""
    return RefusedError(
        Reason.TOO_LARGE,
        f"The body is above {limit} bytes after decompression: send smaller batches, or raise SPANDECK_MAX_BODY_BYTES.",
    )


def admit(otlp: OtlpSignal, body: bytes, media: Media) -> Admitted:
    """Check that `body` is an export request, and take out the spans whose ids are wrong; raises `RefusedError`."""
    request = _parse(otlp, body, media)
    if otlp.is_empty(request):
        return Admitted(b"")
    if otlp is TRACES and (wrong := _wrong_spans(request)):
        return _without(request, wrong)
    return Admitted(body if media is Media.PROTOBUF else request.SerializeToString())


def _parse(otlp: OtlpSignal, body: bytes, media: Media) -> Message:
    try:
        if media is Media.PROTOBUF:
            check_protobuf(otlp, body)
            return otlp.request.FromString(body)
        check_json_text(body)
        return message_from_json(body, otlp.request, partial(check_json, otlp))
    except DecodeError as error:
        raise RefusedError(Reason.MALFORMED, f"The body is not a valid {otlp.request.__name__}.") from error
    except OtlpJsonError as error:
        raise RefusedError(
            Reason.MALFORMED, f"The body is not a valid {otlp.request.__name__} in JSON: {error}."
        ) from error


def _wrong_spans(request: Any) -> list[tuple[Any, list[int]]]:
    """The span lists that hold wrong ids, each with the indexes of those spans, ascending."""
    found = []
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            wrong = [index for index, span in enumerate(scope.spans) if not _has_ids(span)]
            if wrong:
                found.append((scope.spans, wrong))
    return found


def _has_ids(span: Any) -> bool:
    trace_id, span_id = span.trace_id, span.span_id
    return (
        len(trace_id) == _TRACE_ID_BYTES
        and len(span_id) == _SPAN_ID_BYTES
        and trace_id != _NO_TRACE_ID
        and span_id != _NO_SPAN_ID
    )


def _without(request: Any, wrong: list[tuple[Any, list[int]]]) -> Admitted:
    rejected = sum(len(indexes) for _, indexes in wrong)
    for spans, indexes in wrong:
        for index in reversed(indexes):
            del spans[index]
    kept = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    message = (
        f"{rejected} of {rejected + kept} spans were refused: a trace_id must be 16 bytes and a span_id 8 bytes "
        "(in JSON 32 and 16 hex digits), not all zero."
    )
    return Admitted(request.SerializeToString() if kept else b"", rejected, message)


def _inflated(body: bytes, wbits: int, limit: int) -> bytes:
    """All members of a compressed body; raises `RefusedError` as soon as they are above `limit`."""
    source = memoryview(body)
    parts: list[bytes] = []
    position = size = members = 0
    while position < len(body) or not members:
        stream = zlib.decompressobj(wbits)
        members += 1
        while not stream.eof:
            step = source[position : position + _INPUT_STEP_BYTES]
            part = _inflated_step(stream, step, min(_OUTPUT_STEP_BYTES, limit + 1 - size))
            position += len(step) - len(stream.unconsumed_tail) - len(stream.unused_data)
            size += len(part)
            parts.append(part)
            if size > limit:
                raise too_large(limit)
        if members > _MAX_GZIP_MEMBERS:
            raise RefusedError(Reason.MALFORMED, f"The gzip body has more than {_MAX_GZIP_MEMBERS} members.")
    return b"".join(parts)


def _inflated_step(stream: Any, step: memoryview, max_bytes: int) -> bytes:
    try:
        part: bytes = stream.decompress(step, max_bytes)
    except zlib.error as error:
        raise RefusedError(Reason.MALFORMED, "The compressed body is damaged.") from error
    if not step and not part and not stream.eof:
        raise RefusedError(Reason.MALFORMED, "The compressed body ends too early.")
    return part


def _has_zlib_header(body: bytes) -> bool:
    """Whether deflate comes in zlib's wrapping, as RFC 9110 has it, and not bare, as some send it."""
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
