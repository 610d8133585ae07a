"""SQL: one read-only statement over the public views, its rows as a table, a chart and a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import streamlit as st

from spandeck_dashboard import formats, frame
from spandeck_dashboard.cards import card, guarded, heading, refused
from spandeck_dashboard.components.editor import editor
from spandeck_dashboard.components.table import Column, table
from spandeck_dashboard.downloads import safe_csv
from spandeck_dashboard.filters import Filters
from spandeck_dashboard.queries import QueryRefused, ask_text, config
from spandeck_dashboard.views import sql_chart, sql_saved
from spandeck_schema.catalog import views

_EXAMPLES = Path(__file__).parent.with_name("sql_examples")
_TEXT, _ADDRESS = "sql_text", "sql"
_LONGEST_ADDRESS = 1_800
_SHOWN = 500
_MEBI = 1 << 20
_TABLE, _CHART = "Table", "Chart"


@frame.page_of("sql")
def page(_: Filters) -> None:
    """Editor and views side by side, the result below."""
    asked = st.query_params.get(_ADDRESS)
    text = st.session_state.setdefault(_TEXT, asked if asked else next(iter(_examples().values())))
    is_kept = sql_saved.can_be_kept()
    left, right = st.columns([1.75, 1], gap="small")
    with left, card("free-editor", "SQL", "one SELECT, read only", controls=lambda: _draw_starts(text, is_kept)):
        editor(text, key="editor", label="SQL statement", on_run=_take)
    with right, card("free-views", "Views", "a row opens the view"):
        _draw_views()
    if text.strip():
        _draw_result(text)


def _take(text: str) -> None:
    """Callback: this statement is to be run; the address tells it, where it is not too long."""
    st.session_state[_TEXT] = text
    if len(text) <= _LONGEST_ADDRESS:
        st.query_params[_ADDRESS] = text
    else:
        st.query_params.pop(_ADDRESS, None)


@cache
def _examples() -> dict[str, str]:
    """Statement by question, from the files of the folder."""
    found = {}
    for path in sorted(_EXAMPLES.glob("*.sql")):
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
        found[first.removeprefix("-- question: ")] = rest.strip()
    return found


def _draw_starts(text: str, is_kept: bool) -> None:
    if is_kept:
        sql_saved.draw(text, _take)
    st.selectbox(
        "Examples",
        list(_examples()),
        index=None,
        placeholder="Questions to start from",
        key="free-example",
        label_visibility="collapsed",
        on_change=_take_example,
        width=320,
    )


def _take_example() -> None:
    chosen = st.session_state["free-example"]
    if chosen:
        _take(_examples()[chosen])
        st.session_state["free-example"] = None


def _draw_views() -> None:
    known = views()
    opened = table(
        [
            Column("View", [each.name for each in known], "code", "42%"),
            Column("One row is", [each.grain for each in known], tone=["muted"] * len(known)),
        ],
        key="free-view-list",
        label="Public views",
        links=[f"/sql?{_ADDRESS}=from+{each.name}+limit+100" for each in known],
        height=294,
    )
    if opened is not None and opened < len(known):
        _take(f"from {known[opened].name}\nlimit 100")
        st.rerun()


@st.fragment
@guarded("free-result")
def _draw_result(text: str) -> None:
    with st.container(border=True, key="card-free-result"):
        try:
            rows, took_ms = ask_text(text)
        except QueryRefused as refusal:
            refused("sql", refusal)
            st.text(f"{_caps()} Nothing is cut silently: what goes over a cap is refused.")
            return
        heading("free-result", "Result", _how_many(rows, took_ms), controls=_draw_shapes)
        if st.session_state.get("free-shape") == _CHART:
            sql_chart.draw(rows)
        else:
            _draw_rows(rows)
        with st.container(horizontal=True, key="free-caps", vertical_alignment="center"):
            st.text(_caps())
            st.download_button(
                "CSV",
                lambda: safe_csv(rows),
                "spandeck.csv",
                "text/csv",
                key="free-csv",
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
            )


def _draw_shapes() -> None:
    st.segmented_control(
        "Show as", [_TABLE, _CHART], default=_TABLE, required=True, key="free-shape", label_visibility="collapsed"
    )


def _how_many(rows: pd.DataFrame, took_ms: float) -> str:
    shown = f", the first {_SHOWN} are shown" if len(rows) > _SHOWN else ""
    return f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} in {formats.duration(took_ms)}{shown}"


def _caps() -> str:
    caps = config()
    size = f"{caps.query_max_bytes / _MEBI:,.0f} MiB"
    return f"Caps: {caps.query_max_rows:,} rows, {size}, {caps.query_timeout_s:g} s."


def _draw_rows(rows: pd.DataFrame) -> None:
    shown = rows.head(_SHOWN)
    table(
        [_column(str(name), shown.iloc[:, index]) for index, name in enumerate(shown.columns)],
        key="free-rows",
        label="Rows of the result",
        height="max(300px, calc(100vh - 520px))",
        empty="No row.",
    )


def _column(name: str, values: pd.Series) -> Column:
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    texts = [formats.first_line(formats.cell(each), 300) for each in values]
    return Column(
        name,
        texts,
        "number" if is_number else "text",
        sort=[formats.number(each) for each in values] if is_number else None,
        tone=["muted" if each == "NULL" else "" for each in texts],
    )
