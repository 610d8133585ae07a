"""HTTP door of the store: `POST /query`, `GET /healthz`, `GET /readyz` (contract: README, section SQL)."""

from __future__ import annotations

import hmac
import json
import logging
import select
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from spandeck_collector.settings import Settings
from spandeck_collector.store.answers import ARROW_TYPE, JSON_TYPE
from spandeck_collector.store.query_gate import QueryError
from spandeck_collector.store.query_runner import QueryRunner

_LOG = logging.getLogger(__name__)
_MOST_REQUEST_BYTES = 1 << 20
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class QueryServer(ThreadingHTTPServer):
    """Listens on the query port; each connection has a thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, settings: Settings, runner: QueryRunner, is_ready: Callable[[], bool]) -> None:
        self.address_family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        self.settings = settings
        self.runner = runner
        self.is_ready = is_ready
        self.host_names = _LOOPBACK_NAMES | {settings.host, *settings.allowed_hosts}
        super().__init__((settings.host, settings.query_port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: QueryServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/healthz":
            self._send(200, JSON_TYPE, b'{"status": "alive"}')
        elif path == "/readyz":
            ready = self.server.is_ready()
            self._send(200 if ready else 503, JSON_TYPE, b'{"status": "ready"}' if ready else b'{"status": "starting"}')
        else:
            self._guarded(lambda: _refuse(405 if path == "/query" else 404, f"GET {path} does not exist here."))

    def do_POST(self) -> None:
        self._guarded(self._query)

    def _query(self) -> None:
        path = urlsplit(self.path).path
        if path != "/query":
            _refuse(404, f"POST {path} does not exist here: queries go to /query.")
        sql, params = self._read_request()
        content_type = JSON_TYPE if JSON_TYPE in self.headers.get("Accept", "") else ARROW_TYPE
        answer = self.server.runner.run(sql, params, content_type, self._asker_is_gone)
        self._send(200, content_type, answer)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            self._check_host()
            self._check_token()
            action()
        except QueryError as error:
            self._send(error.status, JSON_TYPE, json.dumps({"error": str(error)}).encode())
        except OSError:
            self.close_connection = True
        except Exception:
            _LOG.exception("A request to the query service failed")
            self._send(500, JSON_TYPE, b'{"error": "The store failed at this request: see its log."}')

    def _check_host(self) -> None:
        # A page that a browser shows can reach loopback under a name of its own; such a name is foreign here.
        for header in ("Host", "Origin"):
            value = self.headers.get(header)
            if value is None:
                continue
            name = urlsplit(value if "//" in value else f"//{value}").hostname
            if name not in self.server.host_names:
                _refuse(403, f"{header} {value!r} is foreign here: add it to SPANDECK_ALLOWED_HOSTS if it is yours.")

    def _check_token(self) -> None:
        token = self.server.settings.read_token
        if token is None:
            return
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            _refuse(401, "A read token is needed: send 'Authorization: Bearer ...' with SPANDECK_READ_TOKEN.")

    def _read_request(self) -> tuple[str, list[Any]]:
        if self.headers.get_content_type() != JSON_TYPE:
            _refuse(415, 'Send Content-Type: application/json and {"sql": "...", "params": [...]}.')
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MOST_REQUEST_BYTES:
            self.close_connection = True
            _refuse(413, f"Send a Content-Length of at most {_MOST_REQUEST_BYTES} bytes, not {length!r}.")
        try:
            request = json.loads(self.rfile.read(int(length)))
            sql, params = request["sql"], request.get("params") or []
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            _refuse(400, 'The body must be JSON: {"sql": "...", "params": [...]}.')
        if not isinstance(sql, str) or not isinstance(params, list):
            _refuse(400, '"sql" must be a text and "params" a list.')
        return sql, params

    def _asker_is_gone(self) -> bool:
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: their texts are the user's."""


def _refuse(status: int, sentence: str) -> None:
    raise QueryError(status, sentence)
