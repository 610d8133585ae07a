"""Query results for people (a table with types) and for machines (CSV, JSON, Parquet)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import typer
from pyarrow import csv, parquet
from rich.console import Console
from rich.table import Table
from rich.text import Text

_MISSING = "\N{EN DASH}"


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def print_table(table: pa.Table, form: Format, output: Path | None) -> None:
    """Print to stdout or `output`. Raises `typer.BadParameter` for Parquet to a terminal."""
    if form is Format.PARQUET and output is None:
        raise typer.BadParameter("Parquet is not for a terminal: name a file with --output.")
    with _sink(output) as sink:
        if form is Format.TABLE:
            sink.write(_as_text(table).encode())
        elif form is Format.JSON:
            sink.write(
                json.dumps(table.to_pylist(), default=_json_value, ensure_ascii=False, indent=1).encode() + b"\n"
            )
        elif form is Format.CSV:
            csv.write_csv(_flat(table), sink)
        else:
            parquet.write_table(table, sink, compression="zstd")


@contextmanager
def _sink(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with output.open("wb") as file:
            yield file


def _as_text(table: pa.Table) -> str:
    shown = Table(caption=f"{table.num_rows:,} rows", caption_justify="left")
    for field in table.schema:
        right = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
        shown.add_column(Text(f"{field.name}\n{field.type}"), justify="right" if right else "left", overflow="fold")
    for row in table.to_pylist():
        shown.add_row(*(_cell(value) for value in row.values()))
    console = Console(width=None if sys.stdout.isatty() else 160, file=sys.stdout)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def _cell(value: Any) -> Text:
    # Text, not markup: what spans say must not style or link anything in a terminal.
    if value is None:
        return Text(_MISSING, style="dim")
    if isinstance(value, float):
        return Text(f"{value:,.6g}" if abs(value) < 1 else f"{value:,.2f}")
    return Text("".join(char if char.isprintable() else "�" for char in str(value)))


def _flat(table: pa.Table) -> pa.Table:
    columns = [
        pa.array([None if v is None else json.dumps(v, default=_json_value) for v in column.to_pylist()], pa.string())
        if pa.types.is_nested(column.type)
        else column
        for column in table.columns
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def _json_value(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
