"""A local model server that does as each request tells it: delays, usage, errors; no two requests need be alike."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .test_retry import StatusError


class _Models(BaseHTTPRequestHandler):
    """Anthropic's messages. `metadata` of a request says: status, delay_s, input_tokens, output_tokens, text."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = asked.get("metadata", {})
        statuses = told.get("statuses", [])
        attempt = self._attempt(told.get("id", ""))
        status = statuses[attempt] if attempt < len(statuses) else 200
        self.send_response(status)
        if status != 200:
            self.send_header("Retry-After", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if status == 200:
            self._answer(asked, told)

    def _attempt(self, name: str) -> int:
        seen: dict[str, int] = self.server.seen  # type: ignore[attr-defined]
        seen[name] = seen.get(name, -1) + 1
        return seen[name]

    def _answer(self, asked: dict[str, Any], told: dict[str, Any]) -> None:
        usage = {"input_tokens": told.get("input_tokens", 10), "output_tokens": told.get("output_tokens", 5)}
        message = {"id": f"msg_{told.get('id')}", "type": "message", "model": asked["model"], "stop_reason": "end_turn"}
        content = [{"type": "text", "text": told.get("text", "fine")}]
        if not asked.get("stream"):
            time.sleep(told.get("delay_s", 0))
            self.wfile.write(json.dumps({**message, "content": content, "usage": usage}).encode())
            return
        self._event({"type": "message_start", "message": {**message, "content": [], "usage": usage}})
        time.sleep(told.get("delay_s", 0))
        self._event({"type": "content_block_delta", "delta": {"type": "text_delta", "text": content[0]["text"]}})
        time.sleep(told.get("tail_s", 0))
        self._event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})

    def _event(self, event: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Keep stderr for what the client says."""


class Messages:
    """`client.messages` of a server: `create(model=..., messages=..., stream=..., metadata=...)`."""

    def __init__(self, address: str) -> None:
        self._address = address

    def create(self, **request: Any) -> Any:
        asked = urllib.request.Request(
            self._address, json.dumps(request).encode(), {"Content-Type": "application/json"}
        )
        try:
            answer = urllib.request.urlopen(asked, timeout=20)
        except urllib.error.HTTPError as error:
            error.close()
            raise StatusError(error.code, dict(error.headers)) from None
        if request.get("stream"):
            return _events(answer)
        with answer:
            return json.loads(answer.read())


@contextmanager
def model_server() -> Iterator[Messages]:
    """A client of a running server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Models)
    server.daemon_threads = True
    server.seen = {}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield Messages(f"http://127.0.0.1:{server.server_address[1]}/v1/messages")
    finally:
        server.shutdown()
        server.server_close()


def _events(answer: Any) -> Iterator[dict[str, Any]]:
    with answer:
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
