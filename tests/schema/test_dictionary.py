"""The data dictionary says what the database has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spandeck_collector.store.database import open_database
from spandeck_schema import catalog

DICTIONARY = Path(__file__).parents[2] / "schema" / "README.md"
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| (.+) \|$", re.MULTILINE)


def _sections() -> dict[str, str]:
    parts = re.split(r"^## (\w+)$", DICTIONARY.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.unit
def test_every_view_has_a_section_with_its_grain() -> None:
    sections = _sections()
    ranges = {file.name: file.grain for file in catalog.ranges()}
    views = {view.name: view.grain for view in catalog.views()}
    assert views.keys() <= sections.keys() <= (views | ranges).keys()
    for name, text in sections.items():
        assert f"Grain: {(views | ranges)[name]}." in text


@pytest.mark.integration
def test_columns_and_types_are_those_of_the_database(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "spandeck.duckdb", "256MB")
    ranges = {file.name for file in catalog.ranges()}
    sections = _sections()
    for name in sections.keys() | ranges:
        # A range without a section of its own has the columns of its view, whose section names it.
        text = sections[name if name in sections else name.removesuffix("_between")]
        source = f"main.{name}(null, null)" if name in ranges else f"main.{name}"
        described = connection.execute(f"describe select * from {source}").fetchall()
        assert [(row[0], row[1]) for row in described] == [(column, kind) for column, kind, _ in _ROW.findall(text)]
        assert name in sections or f"`{name}(since, until)`" in text
    connection.close()
