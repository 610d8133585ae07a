"""HTTP door of the store: `/query`, `/command/NAME`, `/budget/check`, `/healthz`, `/readyz`, `/metrics` (README)."""

from __future__ import annotations

import json
import logging
import re
import select
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from spandeck_collector.access import AccessError, check_host, check_token, host_names
from spandeck_collector.settings import Settings
from spandeck_collector.store.answers import ARROW_TYPE, JSON_TYPE
from spandeck_collector.store.budget_door import BUDGET_CHECK, asking_run
from spandeck_collector.store.command_desk import CommandDesk
from spandeck_collector.store.commands.command import CommandError
from spandeck_collector.store.metrics import CONTENT_TYPE, Metrics
from spandeck_collector.store.query_gate import QueryError
from spandeck_collector.store.query_runner import QueryRunner
from spandeck_collector.store.spending import Run

_LOG = logging.getLogger(__name__)
_MOST_REQUEST_BYTES = 1 << 20
_MOST_COMMAND_BYTES = 64 << 10
_COMMANDS = "/command/"
_ASKER_GONE = 499
_RETRY_LATER = (429, 503)
_LENGTH = re.compile(r"[0-9]{1,9}")

Outcome = tuple[int, str, bytes]
"""Status, content type and body of an answer."""


def _no_budgets(run: Run) -> dict[str, Any]:
    return {"allowed": True, "reason": None, "budgets": []}


class QueryServer(ThreadingHTTPServer):
    """Listens on the query port; each connection has a thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        settings: Settings,
        runner: QueryRunner,
        commands: CommandDesk,
        is_ready: Callable[[], bool],
        metrics: Metrics,
        *,
        check_budgets: Callable[[Run], dict[str, Any]] = _no_budgets,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        self.settings = settings
        self.runner = runner
        self.commands = commands
        self.is_ready = is_ready
        self.metrics = metrics
        self.check_budgets = check_budgets
        self.host_names = host_names(settings.host, settings.allowed_hosts)
        super().__init__((settings.host, settings.query_port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong with a connection; that its caller went away is nothing wrong."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: QueryServer
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Head and body of an answer are two writes; the second must not wait for the peer's acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        # A body that is not read would be taken for the connection's next request, past the check of hosts.
        self.close_connection |= "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        self._send_outcome(self._state)

    def do_POST(self) -> None:
        is_command = self.path.startswith(_COMMANDS)
        began = time.monotonic()
        status = self._send_outcome(self._command if is_command else self._query)
        self.server.metrics.answered(is_command=is_command, status=status, seconds=time.monotonic() - began)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses (malformed requests, other methods), as JSON too."""
        self.close_connection = True
        self._send((code, JSON_TYPE, json.dumps({"error": message or "This request cannot be answered."}).encode()))

    def _state(self) -> Outcome:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            return 200, JSON_TYPE, b'{"status": "alive"}'
        if path == "/readyz":
            if self.server.is_ready():
                return 200, JSON_TYPE, b'{"status": "ready"}'
            return 503, JSON_TYPE, b'{"status": "starting"}'
        self._check_access()
        if path == BUDGET_CHECK:
            answer = self.server.check_budgets(asking_run(self.path, self.headers))
            return 200, JSON_TYPE, json.dumps(answer).encode()
        if path == "/metrics":
            return 200, CONTENT_TYPE, self.server.metrics.text()
        is_known = path == "/query" or path.startswith(_COMMANDS)
        raise QueryError(405 if is_known else 404, f"GET {path} does not exist here.")

    def _query(self) -> Outcome:
        body = self._read_body(_MOST_REQUEST_BYTES)
        self._check_access()
        path = self.path.partition("?")[0]
        if path != "/query":
            raise QueryError(404, f"POST {path} does not exist here: use /query or {_COMMANDS}NAME.")
        if self.headers.get_content_type() != JSON_TYPE:
            raise QueryError(415, 'Send Content-Type: application/json and {"sql": "...", "params": [...]}.')
        sql, params = _parse(body)
        content_type = JSON_TYPE if JSON_TYPE in self.headers.get("Accept", "") else ARROW_TYPE
        return 200, content_type, self.server.runner.run(sql, params, content_type, self)

    def _command(self) -> Outcome:
        body = self._read_body(_MOST_COMMAND_BYTES)
        self._check_admin()
        if self.headers.get_content_type() != JSON_TYPE:
            raise QueryError(415, "Send Content-Type: application/json and a JSON object with the parameters.")
        name = self.path.partition("?")[0].removeprefix(_COMMANDS)
        answer = self.server.commands.ask(name, _parameters(body))
        return 200, JSON_TYPE, json.dumps(answer).encode()

    def _send_outcome(self, action: Callable[[], Outcome]) -> int:
        """The status that was sent; 499 when the asker has gone."""
        try:
            outcome = self._outcome(action)
            self._send(outcome)
        except OSError:
            self.close_connection = True
            return _ASKER_GONE
        return outcome[0]

    def _outcome(self, action: Callable[[], Outcome]) -> Outcome:
        try:
            return action()
        except (QueryError, CommandError) as error:
            return error.status, JSON_TYPE, json.dumps({"error": str(error)}).encode()
        except OSError:
            raise
        except Exception:
            _LOG.exception("A request to the query service failed")
            return 500, JSON_TYPE, b'{"error": "The store failed at this request: see its log."}'

    def _check_access(self) -> None:
        self._check_caller(self.server.settings.read_token, "SPANDECK_READ_TOKEN")

    def _check_admin(self) -> None:
        settings = self.server.settings
        self._check_caller(settings.admin_token, "SPANDECK_ADMIN_TOKEN")
        if settings.admin_token is None and settings.needs_admin_token:
            raise QueryError(403, "Commands are closed here: set SPANDECK_ADMIN_TOKEN and start Spandeck again.")

    def _check_caller(self, token: str | None, setting: str) -> None:
        headers = self.headers
        try:
            check_host(headers.get_all("Host", []), headers.get_all("Origin", []), self.server.host_names)
            check_token(headers.get_all("Authorization", []), token, setting)
        except AccessError as error:
            raise QueryError(error.status, str(error)) from None

    def _read_body(self, most_bytes: int) -> bytes:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length) or int(length) > most_bytes:
            self.close_connection = True
            raise QueryError(413, f"Send a Content-Length of at most {most_bytes} bytes, not {length[:32]!r}.")
        return self.rfile.read(int(length))

    def tell(self, error: QueryError) -> None:
        """Answer with an error while the query still runs; the process ends after it."""
        with suppress(OSError):
            self._send((error.status, JSON_TYPE, json.dumps({"error": str(error)}).encode()))

    def is_gone(self) -> bool:
        """Whether the asker has closed the connection."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    def _send(self, outcome: Outcome) -> None:
        status, content_type, body = outcome
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if status in _RETRY_LATER:
            self.send_header("Retry-After", "1")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: their texts are the user's."""


def _parameters(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body)
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise QueryError(400, "The body must be a JSON object with the command's parameters, or {}.")
    return parameters


def _parse(body: bytes) -> tuple[str, list[Any]]:
    try:
        request = json.loads(body)
        sql, params = request["sql"], request.get("params") or []
        # JSON can spell half of a surrogate pair, which no text of a database can hold.
        json.dumps([sql, params], ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise QueryError(400, 'The body must be JSON: {"sql": "...", "params": [...]}.') from None
    if not isinstance(sql, str) or not isinstance(params, list):
        raise QueryError(400, '"sql" must be a text and "params" a list.')
    return sql, params
