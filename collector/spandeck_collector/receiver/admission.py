"""What is let in: pure functions from headers and bytes to an `Admitted` request, or `RefusedError` with the reason."""

from __future__ import annotations

import hmac
import ipaddress
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError, Message

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
    """Demand exactly one `Bearer` with the token, where one is set; raises `RefusedError`."""
    if token is None:
        return
    scheme, _, given = authorizations[0].partition(" ") if len(authorizations) == 1 else ("", "", "")
    matches = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not matches:
        raise RefusedError(Reason.TOKEN)


def check_host(hosts: Sequence[str], origins: Sequence[str], allowed: Collection[str]) -> None:
    """Demand one Host, and no Origin but of a listed host, so that no web page reaches us; raises `RefusedError`.

    Loopback names and addresses are always listed. `allowed` holds lower-case names without port.
    """
    if len(hosts) != 1:
        raise RefusedError(Reason.HEADERS, "The request needs exactly one Host header.")
    for what, values in (("Host", [f"//{hosts[0]}"]), ("Origin", origins)):
        if not all(_is_allowed(value, allowed) for value in values):
            raise RefusedError(
                Reason.FOREIGN,
                f"The {what} of this request is not allowed: add its name to SPANDECK_ALLOWED_HOSTS.",
            )


def host_name(host: str) -> str:
    """The lower-case name in a `host`, `host:port` or `[address]:port`; "" where there is none."""
    try:
        return (urlsplit(host if "//" in host else f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


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
            return otlp.request.FromString(body)
        return message_from_json(body, otlp.request)
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


def _is_allowed(address: str, allowed: Collection[str]) -> bool:
    name = host_name(address)
    if name == "localhost" or name in allowed:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
