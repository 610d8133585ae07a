"""uvicorn's HTTP/1.1 protocol with what an OTLP port needs beside it.

- An `Upgrade` (Java's HTTP client sends `h2c` with each first request) is ignored, as RFC 9110 section 7.8
  allows. uvicorn would drop the request's body, and an empty body is a valid export.
- A request's head may take 64 KiB and 30 s.
- What is no HTTP is answered with a Status body in JSON.
"""

from __future__ import annotations

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from spandeck_collector.receiver.outcomes import Reason, RefusedError

_MAX_HEAD_BYTES = 64 << 10
_HEAD_TIMEOUT_S = 30.0


class OtlpHttpProtocol(HttpToolsProtocol):
    """One connection."""

    _in_head = True
    _head_bytes = 0
    _upgrading = False
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and end what is no HTTP/1.1 or has too long a head."""
        self._unset_keepalive_if_required()
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("This is not a valid HTTP/1.1 request.")
        else:
            if self._in_head and self._head_bytes > _MAX_HEAD_BYTES:
                self.send_400_response(f"The request's head is longer than {_MAX_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """A head starts."""
        super().on_message_begin()
        self._in_head, self._upgrading = True, False
        if self._head_timer is None:
            self._start_head_timer()

    def on_headers_complete(self) -> None:
        """The head is whole: start the application, unless the parser is about to drop the body."""
        self._in_head, self._head_bytes = False, 0
        self._stop_head_timer()
        self._upgrading = self.parser.should_upgrade()
        if not self._upgrading:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole."""
        if not self._upgrading:
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

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(_HEAD_TIMEOUT_S, self.transport.close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
