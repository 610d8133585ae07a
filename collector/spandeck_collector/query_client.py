"""Asks the query service from another process: SQL in, an Arrow table out."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

_TIMEOUT_S = 60.0


class AskError(RuntimeError):
    """The query service gave no answer; the sentence is its own, or says that it cannot be reached."""


def ask(url: str, sql: str, params: Sequence[Any] = (), token: str | None = None) -> pa.Table:
    """Run one query at the service under `url` (scheme, host, port); `params` bind `?`.

    Raises `AskError`.
    """
    address = urlsplit(url)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", "/query", json.dumps({"sql": sql, "params": list(params)}), headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise AskError(f"The store does not answer at {url}: start it with `spandeck up` ({error}).") from error
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise AskError(_sentence(body, response.status))
    return pa.ipc.open_stream(body).read_all()


def _sentence(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"The store answered with status {status}."
