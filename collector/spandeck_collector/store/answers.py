"""Query results as an Arrow IPC stream or as JSON, under caps of rows and bytes."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from spandeck_collector.store.query_gate import QueryError

ARROW_TYPE = "application/vnd.apache.arrow.stream"
JSON_TYPE = "application/json"
_BATCH_ROWS = 2_048


@dataclass(frozen=True)
class Caps:
    """The most `rows` and `bytes` of one answer."""

    rows: int
    bytes: int


def arrow_answer(result: duckdb.DuckDBPyConnection, caps: Caps) -> bytes:
    """The result as an Arrow IPC stream. Raises `QueryError` 413 that names the cap it passes."""
    reader = result.to_arrow_reader(_BATCH_ROWS)
    sink = pa.BufferOutputStream()
    rows = 0
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            rows += batch.num_rows
            _check_rows(rows, caps)
            writer.write_batch(batch)
            _check_bytes(sink.tell(), caps)
    return bytes(sink.getvalue())


def json_answer(result: duckdb.DuckDBPyConnection, caps: Caps) -> bytes:
    """The result as `{"columns": [names], "rows": [[...]]}`. Raises `QueryError` 413 that names the cap it passes.

    Numbers of every kind are JSON numbers, NaN and infinities null, times ISO 8601 in UTC, bytes base64.
    """
    columns = [column[0] for column in result.description or ()]
    parts: list[bytes] = []
    size = 0
    for count, row in enumerate(_rows(result), start=1):
        _check_rows(count, caps)
        parts.append(json.dumps([json_value(value) for value in row], ensure_ascii=False).encode())
        size += len(parts[-1])
        _check_bytes(size, caps)
    return b'{"columns": %b, "rows": [%b]}' % (json.dumps(columns, ensure_ascii=False).encode(), b", ".join(parts))


def json_value(value: Any) -> Any:
    """A DuckDB value as JSON has it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return _text(value)


def _number(value: float | Decimal) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else float(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():f}S"
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    return str(value)


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    if any("TIME ZONE" in str(column[1]) for column in result.description or ()):
        # DuckDB makes Python times with a zone by way of pytz, which nothing here depends on.
        for batch in result.to_arrow_reader(_BATCH_ROWS):
            yield from zip(*(column.to_pylist(maps_as_pydicts="lossy") for column in batch.columns), strict=True)
        return
    while rows := result.fetchmany(_BATCH_ROWS):
        yield from rows


def _check_rows(rows: int, caps: Caps) -> None:
    if rows > caps.rows:
        raise QueryError(413, f"The result has more than {caps.rows:,} rows (SPANDECK_QUERY_MAX_ROWS): add a LIMIT.")


def _check_bytes(size: int, caps: Caps) -> None:
    if size > caps.bytes:
        raise QueryError(
            413, f"The result is above {caps.bytes:,} bytes (SPANDECK_QUERY_MAX_BYTES): select fewer columns or rows."
        )
