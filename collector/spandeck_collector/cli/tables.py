"""Query results as a table for people, as CSV and as Parquet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv, parquet
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spandeck_collector.cli.output import Format, distinct, sink_of
from spandeck_collector.plain_text import harmless

_MISSING = "\N{EN DASH}"
_WIDTH_OF_NO_TERMINAL = 160
_BORDER, _NARROWEST_CELL = 3, 12


def write(table: pa.Table, form: Format, output: Path | None) -> None:
    """Write a result to `output` or stdout; for JSON there is `write_json`, which needs no Arrow.

    A column whose name came before gets a number, as in DuckDB: `n`, `n_1`. Raises `OSError` for `output`.
    """
    table = table.rename_columns(distinct(table.column_names))
    with sink_of(output) as sink:
        if form is Format.TABLE:
            sink.write(_as_text(table, _width(output)).encode())
        elif form is Format.CSV:
            _write_csv(table, sink, for_a_person=output is None and sys.stdout.isatty())
        else:
            parquet.write_table(table, sink, compression="zstd")


def _width(output: Path | None) -> int:
    return Console().width if output is None and sys.stdout.isatty() else _WIDTH_OF_NO_TERMINAL


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="lossy")
    return rows


def _as_text(table: pa.Table, width: int) -> str:
    cells = [[_cell(value) for value in row.values()] for row in _rows(table)]
    count = f"{table.num_rows:,} row{'' if table.num_rows == 1 else 's'}\n"
    shown = _grid(table, cells) if _fits(table, cells, width) else _records(table, cells or [_types(table)])
    console = Console(width=width, file=sys.stdout)
    with console.capture() as captured:
        console.print(shown)
    return captured.get() + count


def _fits(table: pa.Table, cells: list[list[Text]], width: int) -> bool:
    """Whether every column can have its name on one line and a part of its cells that can be read."""
    needed = 1
    for index, field in enumerate(table.schema):
        longest = max((row[index].cell_len for row in cells), default=0)
        needed += _BORDER + max(len(field.name), len(str(field.type)), min(longest, _NARROWEST_CELL))
    return needed <= width


def _grid(table: pa.Table, cells: list[list[Text]]) -> Table:
    grid = Table()
    for field in table.schema:
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        right = is_number or pa.types.is_decimal(field.type)
        grid.add_column(_plain(f"{field.name}\n{field.type}"), justify="right" if right else "left", overflow="fold")
    for row in cells:
        grid.add_row(*row)
    return grid


def _records(table: pa.Table, cells: list[list[Text]]) -> Table:
    """One line a column, for results too wide for a grid."""
    records = Table(show_header=False)
    records.add_column()
    records.add_column(overflow="fold")
    for row in cells:
        for name, cell in zip(table.column_names, row, strict=True):
            records.add_row(_plain(name), cell)
        records.add_section()
    return records


def _types(table: pa.Table) -> list[Text]:
    """In place of the values that an empty result has not: its columns are asked for, too."""
    return [_plain(str(field.type)) for field in table.schema]


def _cell(value: Any) -> Text:
    if value is None:
        return Text(_MISSING, style="dim")
    if isinstance(value, float):
        return Text(f"{value:,.6g}" if abs(value) < 1 else f"{value:,.2f}")
    if isinstance(value, dict | list):
        return _plain(json.dumps(value, default=str, ensure_ascii=False))
    return _plain(str(value))


def _plain(text: str) -> Text:
    # Text, not markup: what spans say must not style or link anything in a terminal.
    return Text(harmless(text))


def _write_csv(table: pa.Table, sink: BinaryIO, *, for_a_person: bool) -> None:
    columns = [
        pa.array(map(_nested_text, column.to_pylist(maps_as_pydicts="lossy")), pa.string())
        if pa.types.is_nested(column.type)
        else column
        for column in table.columns
    ]
    flat = pa.table(dict(zip(table.column_names, columns, strict=True)))
    if not for_a_person:
        csv.write_csv(flat, sink)
        return
    buffer = pa.BufferOutputStream()
    csv.write_csv(flat, buffer)
    sink.write(harmless(buffer.getvalue().to_pybytes().decode()).encode())


def _nested_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)
