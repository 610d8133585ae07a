"""Plain HTTP requests to this machine."""

import http.client
import json
from collections.abc import Mapping
from email.message import Message
from typing import NamedTuple

from google.protobuf import json_format
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from .waiting import DEADLINE_S

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


class Answer(NamedTuple):
    """An HTTP response, read whole; the case of header names does not matter."""

    status: int
    headers: Message
    body: bytes

    def error(self) -> Status:
        """The Status in the body, by the answer's own media type."""
        if self.headers["Content-Type"] == PROTOBUF:
            return Status.FromString(self.body)
        return json_format.ParseDict(json.loads(self.body), Status())


def ask(
    port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def post(port: int, body: bytes, content_type: str = PROTOBUF, path: str = "/v1/traces", **more: str) -> Answer:
    """Send an OTLP message; `more` are further headers, as in `Content_Encoding="gzip"`."""
    headers = {"Content-Type": content_type} | {name.replace("_", "-"): value for name, value in more.items()}
    return ask(port, path, body, headers)


def export(port: int, body: bytes) -> int | None:
    """Send spans; the answer's status, None when the connection was refused or lost."""
    try:
        return post(port, body).status
    except (OSError, http.client.HTTPException):
        return None


def is_ready(port: int, path: str = "/readyz") -> bool:
    """Whether the process behind a port says that it can work."""
    try:
        return ask(port, path, method="GET").status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
