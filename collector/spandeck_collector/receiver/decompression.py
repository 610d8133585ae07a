"""Bodies without their Content-Encoding: unpacked step by step, stopped as soon as they are above the limit."""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from spandeck_collector.receiver.outcomes import Reason, RefusedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_INPUT_STEP_BYTES = 64 << 10
_OUTPUT_STEP_BYTES = 1 << 20
_MOST_MEMBERS = 1_000
_ZSTD_WINDOW_LOG = 23  # 8 MiB, which RFC 9659 lets a receiver demand: a larger window is memory of ours
_GZIP, _BARE_DEFLATE = 16 + zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_NOTHING = memoryview(b"")

Take = Callable[[int], None]
"""Told of every step's bytes before they are kept; may raise `RefusedError`."""


class _Decompressor(Protocol):
    """One member of a body."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: Any, max_length: int, /) -> bytes: ...


def decompressed(body: bytes, content_encoding: str | None, limit: int, take: Take = lambda _count: None) -> bytes:
    """`body` without gzip, deflate or zstd, `body` itself where it has none of them.

    Raises `RefusedError` for another coding, for a damaged or unfinished stream, and above `limit` bytes.
    """
    encoding = (content_encoding or "identity").strip().lower()
    if encoding == "identity":
        if len(body) > limit:
            raise too_large(limit)
        return body
    return _Unpacking(memoryview(body), limit, take).all_members(_opener(encoding, body))


def decompressed_message(body: bytes, limit: int, take: Take) -> bytes:
    """A gRPC message without gzip or deflate, told by its first bytes, since gRPC does not hand on its coding.

    No protobuf message starts as gzip does. One can start like zlib's header, with a field that OTLP does not
    have: then it does not unpack, and is the message itself. Raises `RefusedError`.
    """
    if body.startswith(_GZIP_MAGIC):
        return decompressed(body, "gzip", limit, take)
    if _has_zlib_header(body):
        try:
            return decompressed(body, "deflate", limit, take)
        except RefusedError as refused:
            if refused.reason is not Reason.MALFORMED:
                raise
    return decompressed(body, None, limit)


def most_on_the_wire(limit: int) -> int:
    """How long a body may be that is `limit` bytes long once decompressed: what does not compress becomes longer."""
    return limit + (limit >> 8) + 1024


def too_large(limit: int) -> RefusedError:
    """The refusal of a body above `limit` bytes."""
    return RefusedError(
        Reason.TOO_LARGE,
        f"The body is above {limit} bytes after decompression: send smaller batches, or raise SPANDECK_MAX_BODY_BYTES.",
    )


def _opener(encoding: str, body: bytes) -> Callable[[], _Decompressor]:
    if encoding in {"gzip", "x-gzip"}:
        return lambda: _Inflate(_GZIP)
    if encoding == "deflate":
        wbits = zlib.MAX_WBITS if _has_zlib_header(body) else _BARE_DEFLATE
        return lambda: _Inflate(wbits)
    if encoding == "zstd":
        options = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG}
        return lambda: zstd.ZstdDecompressor(options=options)
    raise RefusedError(Reason.ENCODING)


class _Inflate:
    """zlib's decompressor, which keeps what it has not taken, as zstd's does."""

    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: Any, max_length: int, /) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail or data, max_length)


@dataclass
class _Unpacking:
    """A compressed body, unpacked member by member."""

    source: memoryview
    limit: int
    take: Take
    position: int = 0
    plain: io.BytesIO = field(default_factory=io.BytesIO)

    def all_members(self, opened: Callable[[], _Decompressor]) -> bytes:
        """What all members hold together; a body has one at least."""
        members = 0
        while self.position < len(self.source) or not members:
            members += 1
            if members > _MOST_MEMBERS:
                raise RefusedError(Reason.MALFORMED, f"The compressed body has more than {_MOST_MEMBERS} members.")
            self._member(opened())
        return self.plain.getvalue()

    def _member(self, stream: _Decompressor) -> None:
        while not stream.eof:
            wants = stream.needs_input
            step = self.source[self.position : self.position + _INPUT_STEP_BYTES] if wants else _NOTHING
            part = _step(stream, step, min(_OUTPUT_STEP_BYTES, self.limit + 1 - self.plain.tell()))
            self.position += len(step)
            if self.plain.tell() + len(part) > self.limit:
                raise too_large(self.limit)
            if wants and not step and not part and not stream.eof:
                raise RefusedError(Reason.MALFORMED, "The compressed body ends too early.")
            self.take(len(part))
            self.plain.write(part)
        self.position -= len(stream.unused_data)


def _step(stream: _Decompressor, step: memoryview, max_bytes: int) -> bytes:
    try:
        return stream.decompress(step, max_bytes)
    except (zlib.error, zstd.ZstdError, ValueError) as error:
        raise RefusedError(Reason.MALFORMED, "The compressed body is damaged.") from error


def _has_zlib_header(body: bytes) -> bool:
    """Whether deflate comes in zlib's wrapping, as RFC 9110 has it, and not bare, as some send it."""
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
