"""A model server on loopback, and clients in the shape of the OpenAI and Anthropic SDKs, for the examples only."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

ANSWER = "Order 4711 is on its way. Questions: support@example.org."


class _Models(BaseHTTPRequestHandler):
    """Answers every question alike; the first request of a server is refused with 503, as happens."""

    def do_POST(self) -> None:
        """One question."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        counted: list[Any] = self.server.asked  # type: ignore[attr-defined]
        counted.append(asked)
        if len(counted) == 1:
            self._send(503, b"{}", {"Retry-After": "0"})
        elif self.path == "/v1/chat/completions":
            self._send(200, json.dumps(_chat(asked)).encode())
        elif asked.get("stream"):
            lines = [f"data: {json.dumps(event)}\n\n" for event in _message_events(asked)]
            self._send(200, "".join(lines).encode())
        else:
            self._send(200, json.dumps(_message(asked)).encode())

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep stderr for the agent."""


@contextmanager
def model_server() -> Iterator[str]:
    """The address of a running model server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Models)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class OpenAI:
    """`client.chat.completions.create(model=..., messages=...)`."""

    def __init__(self, base_url: str) -> None:
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))
        self._url = f"{base_url}/v1/chat/completions"

    def _create(self, **request: Any) -> Any:
        return _object(json.loads(_post(self._url, request)))


class Anthropic:
    """`client.messages.create(model=..., max_tokens=..., messages=..., stream=True)`."""

    def __init__(self, base_url: str) -> None:
        self.messages = SimpleNamespace(create=self._create)
        self._url = f"{base_url}/v1/messages"

    def _create(self, **request: Any) -> Any:
        body = _post(self._url, request)
        if not request.get("stream"):
            return _object(json.loads(body))
        lines = body.decode().splitlines()
        return (_object(json.loads(line.removeprefix("data: "))) for line in lines if line)


class StatusError(Exception):
    """An answer other than 200, with `status_code` and `response` as the SDKs' errors have them."""

    def __init__(self, error: urllib.error.HTTPError) -> None:
        super().__init__(f"the model server answered {error.code}")
        self.status_code = error.code
        self.response = SimpleNamespace(status_code=error.code, headers=dict(error.headers))


def _post(url: str, request: dict[str, Any]) -> bytes:
    asked = urllib.request.Request(url, json.dumps(request).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        raise StatusError(error) from None


def _chat(asked: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": ANSWER}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": asked["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 120, "completion_tokens": 18},
    }


def _message(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "model": asked["model"],
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 120, "output_tokens": 18},
    }


def _message_events(asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    opening = {
        **_message(asked),
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 120, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": opening}
    for word in ANSWER.split(" "):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word + " "}}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 18}}
    yield {"type": "message_stop"}


def _object(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _object(item) for name, item in value.items()})
    return [_object(item) for item in value] if isinstance(value, list) else value
