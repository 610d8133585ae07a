"""`spandeck.query`: SQL at a running store, answered as a pandas frame. Needs `pip install 'spandeck[query]'`."""

import http.client
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import pandas as pd

_ARROW = "application/vnd.apache.arrow.stream"
_DEFAULT_PORT = 4319
_TIMEOUT_S = 60.0
_SCHEMES = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


class QueryError(RuntimeError):
    """There is no answer: `status` is the HTTP status, None where nobody answered; the text is the store's sentence."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


def query(
    sql: str,
    params: Sequence[Any] = (),
    *,
    url: str | None = None,
    token: str | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> "pd.DataFrame":
    """The rows of one SELECT over the public views, one column a column; `params` bind `?`.

    `url` is the store's address (else port `SPANDECK_QUERY_PORT`, 4319, of this machine), `token` the read token (else
    `SPANDECK_READ_TOKEN`). Times are UTC without a zone; whole numbers and flags are pandas' nullable types, so that
    what is unknown is NA and counts stay whole; maps are dictionaries.
    Raises `QueryError` for what the store refuses and when it does not answer, `ImportError` without pandas and
    pyarrow.
    """
    import pandas as pd  # noqa: PLC0415 - of an extra, and slow to load
    import pyarrow as pa  # noqa: PLC0415

    address = url or f"http://127.0.0.1:{os.environ.get('SPANDECK_QUERY_PORT') or _DEFAULT_PORT}"
    body = _ask(
        address, {"sql": sql, "params": list(params)}, token or os.environ.get("SPANDECK_READ_TOKEN"), timeout_s
    )
    nullable = {
        pa.bool_(): pd.BooleanDtype(),
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(),
        pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
    }
    table = pa.ipc.open_stream(body).read_all()
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get, maps_as_pydicts="lossy")
    return frame


def _ask(url: str, question: dict[str, Any], token: str | None, timeout_s: float) -> bytes:
    address = urlsplit(url)
    if address.scheme not in _SCHEMES or not address.hostname:
        raise QueryError(f"The store's address is {url!r}: it must be like http://127.0.0.1:{_DEFAULT_PORT}.")
    headers = {"Content-Type": "application/json", "Accept": _ARROW}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = _SCHEMES[address.scheme](address.hostname, address.port, timeout=timeout_s)
    try:
        connection.request("POST", "/query", json.dumps(question), headers)
        response = connection.getresponse()
        body: bytes = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise QueryError(f"The store does not answer at {url}: start it with `spandeck up` ({error}).") from error
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise QueryError(_sentence(body, response.status), response.status)
    if response.headers.get_content_type() != _ARROW:
        raise QueryError(f"Something answers at {url}, but no Spandeck: set SPANDECK_QUERY_PORT to the store's port.")
    return body


def _sentence(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"The store answered with status {status}."
