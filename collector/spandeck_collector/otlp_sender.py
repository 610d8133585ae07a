"""Post OTLP bodies to a collector over one kept connection, and read what it says about them."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from spandeck_collector.parcels import JsonParcel, Layout, Parcel
from spandeck_collector.shifting import camel_case

DEFAULT_ENDPOINT = "http://127.0.0.1:4318"

_ATTEMPTS = 6
_RETRIED = {429, 502, 503, 504}
_REFUSED_TOKEN = {401, 403}
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 5.0
_TIMEOUT_S = 30.0
_ANSWER_BYTES = 1 << 20


class SendError(RuntimeError):
    """Nothing more can be sent; the sentence names the address and says what to do."""


@dataclass(frozen=True)
class Answer:
    """What became of one request: `error` is a sentence, or None when all of it was taken."""

    is_accepted: bool
    rejected_count: int
    error: str | None


class OtlpSender:
    """A connection to the OTLP/HTTP port of a collector; close it, or use it as a context manager."""

    def __init__(
        self, endpoint: str = DEFAULT_ENDPOINT, token: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Connects with the first request; `tls` says whom to trust at an https endpoint (None: who is known).

        Raises `SendError` when the endpoint is not an HTTP address.
        """
        self._endpoint = endpoint.rstrip("/")
        address = _address(self._endpoint)
        self._prefix = address.path
        self._connection = _connection(address, tls)
        self._has_connected = False
        self._authorization = {"Authorization": f"Bearer {token}"} if token else {}

    def __enter__(self) -> Self:
        """Close the connection at the end of the block."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, parcel: Parcel) -> Answer:
        """Post one request and read the answer; 429, 502, 503, 504 and a lost connection are tried again.

        Raises `SendError` when there is no collector, when it refuses the token, or when it stays overloaded.
        """
        body = gzip.compress(parcel.body(), compresslevel=3, mtime=0)
        headers = self._authorization | {"Content-Type": parcel.content_type, "Content-Encoding": "gzip"}
        delay_s, last = _FIRST_DELAY_S, ""
        for _ in range(_ATTEMPTS):
            try:
                status, retry_after, text = self._post(parcel.layout.signal.path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if not self._has_connected:
                    raise self._unreachable(error) from error
                retry_after, last = None, f"the connection was lost ({error or type(error).__name__})"
            else:
                if status not in _RETRIED:
                    return self._judge(parcel, status, text)
                last = f"{status} {_message(parcel, text)}".strip()
            time.sleep(delay_s if retry_after is None else min(retry_after, _LONGEST_DELAY_S))
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
        raise SendError(
            f"The collector at {self._endpoint} did not take a request in {_ATTEMPTS} tries; "
            f"the last answer: {last}. Look at its log, then send again."
        )

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, float | None, bytes]:
        self._connection.request("POST", self._prefix + path, body, headers)
        self._has_connected = True
        response = self._connection.getresponse()
        text = response.read(_ANSWER_BYTES)
        if not response.isclosed():
            self._connection.close()
        return response.status, _seconds(response.getheader("Retry-After")), text

    def _judge(self, parcel: Parcel, status: int, text: bytes) -> Answer:
        if status in _REFUSED_TOKEN:
            raise SendError(
                f"The collector at {self._endpoint} refused the request with {status} "
                f"({_message(parcel, text) or 'no reason given'}): set SPANDECK_INGEST_TOKEN to its ingest token."
            )
        if status == http.HTTPStatus.OK:
            return _partial_success(parcel, text)
        message = _message(parcel, text) or "no reason given"
        return Answer(False, parcel.item_count, f"{status} from {self._endpoint}: {message}")

    def _unreachable(self, error: Exception) -> SendError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return SendError(
            f"No collector answers at {self._endpoint} ({reason}): start it with `spandeck up`, "
            "or name the endpoint of one that runs."
        )


def _address(endpoint: str) -> SplitResult:
    try:
        address = urlsplit(endpoint)
        is_usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise SendError(f"The endpoint {endpoint!r} is not an HTTP address: expected {DEFAULT_ENDPOINT}.")
    return address


def _connection(address: SplitResult, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    where = (address.hostname or "", address.port)
    if address.scheme == "https":
        return http.client.HTTPSConnection(*where, timeout=_TIMEOUT_S, context=tls)
    return http.client.HTTPConnection(*where, timeout=_TIMEOUT_S)


def _seconds(retry_after: str | None) -> float | None:
    """The header in seconds; its other form, a date, counts as absent."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


def _partial_success(parcel: Parcel, text: bytes) -> Answer:
    layout = parcel.layout
    if isinstance(parcel, JsonParcel):
        rejected, message = _json_partial_success(layout, _json_object(text))
    else:
        rejected, message = _protobuf_partial_success(layout, text)
    return Answer(True, rejected, message or (f"{rejected} refused without a reason" if rejected else None))


def _json_partial_success(layout: Layout, answer: dict[str, Any]) -> tuple[int, str]:
    partial = answer.get("partialSuccess")
    if not isinstance(partial, dict):
        return 0, ""
    try:
        rejected = int(partial.get(camel_case(layout.rejected_field), 0))
    except (TypeError, ValueError):
        rejected = 0
    return rejected, str(partial.get("errorMessage", ""))


def _protobuf_partial_success(layout: Layout, text: bytes) -> tuple[int, str]:
    answer: Any = layout.signal.response()
    try:
        answer.ParseFromString(text)
    except DecodeError:
        return 0, ""
    partial = answer.partial_success
    return getattr(partial, layout.rejected_field), partial.error_message


def _message(parcel: Parcel, text: bytes) -> str:
    """The sentence of a `google.rpc.Status` body, in the encoding of the request."""
    if isinstance(parcel, JsonParcel):
        return str(_json_object(text).get("message", ""))
    try:
        return str(Status.FromString(text).message)
    except DecodeError:
        return ""


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
