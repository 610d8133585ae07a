"""uvicorn's HTTP/1.1 protocol with what an OTLP port needs beside it.

- An `Upgrade` (Java's HTTP client sends `h2c` with each first request) is ignored, as RFC 9110 section 7.8
  allows. uvicorn would drop the request's body, and an empty body is a valid export.
- A request's head may take 64 KiB, and so may what follows a chunked body, or stands between its chunks; head and
  body have their time.
- What is no HTTP is answered with a Status body in JSON.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from spandeck_collector.receiver.outcomes import Reason, RefusedError

_MOST_HEAD_BYTES = 64 << 10


class OtlpHttpProtocol(HttpToolsProtocol):
    """One connection."""

    _in_head = True
    _upgrading = False
    _silent_bytes = 0
    _has_moved = False
    _timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, timeout_s: float, **named: Any) -> None:
        """`timeout_s` is for a head, and once more for a body, which the application bounds before that."""
        super().__init__(*arguments, **named)
        self._timeout_s = timeout_s

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._start_timer(self._timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and end what is no HTTP/1.1 or goes on without a head or a body getting further."""
        self._unset_keepalive_if_required()
        self._has_moved = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self.send_400_response("This is not a valid HTTP/1.1 request.")
            return
        self._silent_bytes = 0 if self._has_moved else self._silent_bytes + len(data)
        if self._silent_bytes > _MOST_HEAD_BYTES:
            self.send_400_response(f"The request's head, or what follows its body, is above {_MOST_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """A head starts."""
        super().on_message_begin()
        self._in_head, self._upgrading = True, False
        if self._timer is None:
            self._start_timer(self._timeout_s)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that follows a chunked body is left out, as RFC 9110 section 6.5 allows."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole: start the application, unless the parser is about to drop the body."""
        self._in_head, self._has_moved = False, True
        self._stop_timer()
        self._start_timer(2 * self._timeout_s)
        self._upgrading = self.parser.should_upgrade()
        if not self._upgrading:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._has_moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._has_moved = True
        if not self._upgrading:
            self._stop_timer()
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer with a Status and close."""
        body = RefusedError(Reason.HEADERS, msg).status_json()
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse the request again without its Upgrade header; `rest` is what follows its head."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.send_400_response("CONNECT is not supported: OTLP is sent with POST.")
            return
        lines = [b"%s %s HTTP/1.1" % (method, self.url)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def _start_timer(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
