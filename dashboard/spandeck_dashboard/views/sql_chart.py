"""The rows of a free query as a chart: bars over names, lines over times."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from spandeck_dashboard import charts, theme

_MOST_POINTS = 2_000
_MOST_SERIES = 5


def draw(rows: pd.DataFrame) -> None:
    """Widgets for what is drawn over what, and the chart; a sentence when no column can be drawn."""
    numbers = [str(name) for name in rows.columns if _is_number(rows[name])] if rows.columns.is_unique else []
    others = [str(name) for name in rows.columns if str(name) not in numbers]
    if rows.empty or not numbers:
        st.text("A chart needs rows, and a column of numbers whose name stands once.")
        return
    with st.container(horizontal=True, key="free-axes", vertical_alignment="center"):
        across = st.selectbox("Over", others + numbers, key="free-over", width=240)
        chosen = st.multiselect("Draw", numbers, default=numbers[:1], key="free-draw", max_selections=_MOST_SERIES)
    shown = rows.head(_MOST_POINTS)
    figure = charts.free_figure(shown, str(across), [str(each) for each in chosen], theme.palette())
    st.plotly_chart(figure, theme=None, key="free-chart", config=_BAR, alt="The rows as a chart")


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values)) and not pd.api.types.is_bool_dtype(values)


_BAR: dict[str, Any] = {"displayModeBar": False}
