"""Where results go, and results as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@contextmanager
def sink_of(output: Path | None) -> Iterator[BinaryIO]:
    """Open `output`, or stdout when it is None. Raises `OSError` for a file that cannot be written."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with output.open("wb") as file:
            yield file


def distinct(names: Sequence[str]) -> list[str]:
    """The names; one that came before gets a number, as in DuckDB: `n`, `n_1`."""
    taken: set[str] = set()
    result = []
    for name in names:
        number, free = 0, name
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free)
        result.append(free)
    return result


def write_json(columns: Sequence[str], rows: Sequence[Sequence[Any]], output: Path | None) -> None:
    """Write rows as a list of objects, to `output` or stdout; no name twice. Raises `OSError`."""
    names = distinct(columns)
    text = json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False, indent=1)
    # Characters that a terminal would obey stay in the value, as JSON escapes.
    safe = "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
    with sink_of(output) as sink:
        sink.write(f"{safe}\n".encode())
