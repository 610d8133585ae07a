"""The way to the query service: kept connections, one refusal or outage for what went wrong."""

from __future__ import annotations

import http.client
import queue
import time
from datetime import UTC, datetime
from functools import cache

from spandeck_dashboard.config import DashboardConfig

_POOL_LIMIT = 8
_TRY_AGAIN_S = 1.0


class CollectorDown(ConnectionError):  # noqa: N818
    """The query service does not answer; `address` is where it should be."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"The collector at {address} does not answer: {reason}.")
        self.address = address


class QueryRefused(RuntimeError):  # noqa: N818
    """The query service refused a query; `sentence` says why and `status` is the HTTP status."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@cache
def config() -> DashboardConfig:
    """The settings of this process."""
    return DashboardConfig.from_environment()


class Pool:
    """Keep-alive connections to the query service, shared by all sessions."""

    def __init__(self) -> None:
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue(_POOL_LIMIT)

    @property
    def address(self) -> str:
        """Where the query service should be."""
        return config().url(config().query_port)

    def exchange(self, body: bytes, path: str = "/query") -> tuple[int, bytes]:
        """Post and return status and body; a stale idle connection is replaced once, but no command sent twice."""
        try:
            connection = self._new() if path != "/query" else self._idle.get_nowait()
        except queue.Empty:
            return self._exchange_on(self._new(), body, path)
        try:
            return self._exchange_on(connection, body, path)
        except CollectorDown:
            if path != "/query":
                raise
            return self._exchange_on(self._new(), body, path)

    def _new(self) -> http.client.HTTPConnection:
        settings = config()
        return http.client.HTTPConnection(
            settings.reachable_host, settings.query_port, timeout=settings.answer_timeout_s
        )

    def _exchange_on(self, connection: http.client.HTTPConnection, body: bytes, path: str) -> tuple[int, bytes]:
        try:
            connection.request("POST", path, body, _headers())
            answer = connection.getresponse()
            payload = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise CollectorDown(self.address, str(error) or type(error).__name__) from error
        self._put_back(connection)
        return answer.status, payload

    def close(self) -> None:
        """Close what is idle."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _put_back(self, connection: http.client.HTTPConnection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/vnd.apache.arrow.stream"}
    token = config().read_token
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


class Outage:
    """Whether the collector is away; while it is, one question a second finds out."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self._error: CollectorDown | None = None
        self._again_at = 0.0

    @property
    def reason(self) -> str:
        """The sentence of the outage that lasts."""
        return str(self._error) if self._error else ""

    def check(self) -> None:
        """Raise the known `CollectorDown` instead of waiting for another time-out."""
        if self._error and time.monotonic() < self._again_at:
            raise self._error

    def begin(self, error: CollectorDown) -> None:
        """A question was not answered."""
        self.since = self.since or datetime.now(UTC)
        self._error = error
        self._again_at = time.monotonic() + _TRY_AGAIN_S

    def end(self) -> None:
        """A question was answered."""
        self.since = self._error = None
