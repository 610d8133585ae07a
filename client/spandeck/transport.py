"""One OTLP/HTTP request: bytes out, a verdict back, never an exception, never more than a bounded answer."""

import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

TRACES_PATH = "/v1/traces"
LOGS_PATH = "/v1/logs"
_ANSWER_LIMIT_BYTES = 65_536
_RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})
_LONGEST_RETRY_AFTER_S = 60.0


@dataclass(frozen=True)
class Verdict:
    """What became of a request.

    `status` is the HTTP status, None where no answer came, and then `reason` says why. `rejected_count` spans
    of an accepted request were refused by the collector. `retry_after_s` is the collector's own wish.
    """

    status: int | None
    reason: str = ""
    rejected_count: int = 0
    retry_after_s: float = 0.0

    @property
    def accepted(self) -> bool:
        """The collector has the spans (OTLP: any 2xx; a partial success is not sent again)."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def retryable(self) -> bool:
        """Sending the same again can help (OTLP/HTTP, "Retryable response codes", or no answer at all)."""
        return self.status is None or self.status in _RETRYABLE_STATUSES


class HttpTransport:
    """Posts protobuf below `endpoint`, a connection each; follows no redirect and uses no proxy."""

    def __init__(self, endpoint: str, token: str | None = None) -> None:
        """Raises `ValueError` where `endpoint` is no http or https address with a host."""
        self.endpoint = endpoint
        try:
            parts = urlsplit(endpoint)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            raise ValueError(_bad_endpoint(endpoint)) from error
        if parts.scheme not in ("http", "https") or not self._host:
            raise ValueError(_bad_endpoint(endpoint))
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._base = parts.path.rstrip("/").removesuffix(TRACES_PATH)
        self._headers = {"Content-Type": "application/x-protobuf", "Connection": "close"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: bytes, timeout_s: float) -> Verdict:
        """Send `body` to `path` (`TRACES_PATH`, `LOGS_PATH`); `timeout_s` seconds bound each wait on the socket."""
        connection = self._connection(timeout_s)
        try:
            connection.request("POST", self._base + path, body, self._headers)
            answer = connection.getresponse()
            return Verdict(
                answer.status,
                answer.reason,
                _rejected_count(answer.read(_ANSWER_LIMIT_BYTES)) if answer.status == http.client.OK else 0,
                _retry_after_s(answer.getheader("Retry-After")),
            )
        except Exception as error:
            return Verdict(None, str(error) or type(error).__name__)
        finally:
            connection.close()

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._tls)


def _bad_endpoint(endpoint: str) -> str:
    return (
        f"Endpoint {endpoint!r} (SPANDECK_ENDPOINT) is not an http:// or https:// address: "
        "give the collector's OTLP/HTTP address, such as http://127.0.0.1:4318."
    )


def _rejected_count(answer: bytes) -> int:
    """How many items a partial success refused (one field for spans and for log records); no OTLP refuses none."""
    try:
        return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
    except Exception:
        return 0


def _retry_after_s(header: str | None) -> float:
    """Whole seconds of `Retry-After`, at most a minute; a date or nonsense counts as absent."""
    if header is None or not header.strip().isdecimal():
        return 0.0
    return min(float(header), _LONGEST_RETRY_AFTER_S)
