"""Asks the query service from another process: SQL in, an Arrow table or plain rows out; and sends it commands."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import pyarrow as pa

_ARROW, _JSON = "application/vnd.apache.arrow.stream", "application/json"
_TIMEOUT_S = 60.0
_COMMAND_TIMEOUT_S = 300.0


class AskError(RuntimeError):
    """The query service gave no answer; the sentence is its own, or says that it cannot be reached."""


class StoreAwayError(AskError):
    """Nobody answers, or no longer: another try may work."""


class BusyError(AskError):
    """The store has no time or memory for it now: another try may work."""


def ask(
    url: str, sql: str, params: Sequence[Any] = (), token: str | None = None, timeout_s: float = _TIMEOUT_S
) -> pa.Table:
    """Run one query at the service under `url` (scheme, host, port); `params` bind `?`.

    Raises `AskError`.
    """
    import pyarrow as pa  # noqa: PLC0415 - 40 MB that `ask_json` does without

    body = _post(url, "/query", {"sql": sql, "params": list(params)}, _ARROW, (token, timeout_s))
    return pa.ipc.open_stream(body).read_all()


def ask_json(
    url: str, sql: str, params: Sequence[Any] = (), token: str | None = None, timeout_s: float = _TIMEOUT_S
) -> tuple[list[str], list[list[Any]]]:
    """The same as names of the columns and rows of numbers, texts, ISO 8601 times, lists and objects.

    Raises `AskError`.
    """
    answer = json.loads(_post(url, "/query", {"sql": sql, "params": list(params)}, _JSON, (token, timeout_s)))
    return answer["columns"], answer["rows"]


def command(
    url: str, name: str, parameters: Mapping[str, Any], token: str | None = None, timeout_s: float = _COMMAND_TIMEOUT_S
) -> dict[str, Any]:
    """Run a command at the service under `url`; `token` is SPANDECK_ADMIN_TOKEN. Its answer is what it committed.

    Raises `AskError`: `BusyError` when its turn did not come, `StoreAwayError` when it is unknown whether it was done.
    """
    answer: dict[str, Any] = json.loads(_post(url, f"/command/{name}", parameters, _JSON, (token, timeout_s)))
    return answer


def _post(url: str, path: str, content: Mapping[str, Any], accept: str, how: tuple[str | None, float]) -> bytes:
    """The body of the answer; `how` is the token and the longest wait in seconds."""
    token, timeout_s = how
    address = urlsplit(url)
    headers = {"Content-Type": _JSON, "Accept": accept} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout_s)
    try:
        connection.connect()
        connection.request("POST", path, json.dumps(content), headers)
        response = connection.getresponse()
        body = response.read()
    except (ConnectionResetError, BrokenPipeError, http.client.IncompleteRead) as error:
        sentence = "The store ended while it answered, and is started again: ask again, or for less at once."
        raise StoreAwayError(sentence) from error
    except (OSError, http.client.HTTPException) as error:
        raise StoreAwayError(f"The store does not answer at {url}: start it with `spandeck up` ({error}).") from error
    finally:
        connection.close()
    if response.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        raise BusyError(_sentence(body, response.status))
    if response.status != http.HTTPStatus.OK:
        raise AskError(_sentence(body, response.status))
    if response.headers.get_content_type() != accept:
        raise AskError(f"Something answers at {url}, but no Spandeck: set SPANDECK_QUERY_PORT to the store's port.")
    return body


def _sentence(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"The store answered with status {status}."
