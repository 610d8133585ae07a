"""CSV for spreadsheets: no cell is a formula, numbers stay numbers."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_dashboard.downloads import safe_csv

pytestmark = pytest.mark.unit

RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@given(st.lists(st.text(min_size=1).map(lambda text: text.replace("\x00", "")), min_size=1, max_size=5))
def test_no_text_begins_a_formula(texts: list[str]) -> None:
    for row in rows_of(safe_csv(pd.DataFrame({"=cmd()": texts, "n": range(len(texts))}))):
        assert not row[0].lstrip(" ").startswith(RUNS)


def test_what_is_harmless_stays_as_it_is() -> None:
    data = safe_csv(pd.DataFrame({"name": ["plain", "=1+1", None], "delta": [-1.5, 2.0, None]}))
    assert rows_of(data) == [["name", "delta"], ["plain", "-1.5"], ["'=1+1", "2.0"], ["", ""]]
