"""Frames to what is drawn: series of the board and Plotly figures as plain dicts; no number is made here."""

from __future__ import annotations

from typing import Any

import pandas as pd

from spandeck_dashboard import formats
from spandeck_dashboard.components.board import Heat, Series
from spandeck_dashboard.theme import FONT, Palette

Figure = dict[str, Any]

_STEPS_A_DECADE = 4
_LEGIBLE_SHARE = 0.025


def percentile_lines(frame: pd.DataFrame, colours: Palette, prefix: str = "") -> list[Series]:
    """Three lines over `PREFIXp50_ms`, `PREFIXp95_ms` and `PREFIXp99_ms`."""
    looks = (("p50", 1.6, colours.p50, colours.muted), ("p95", 2.4, colours.p95, ""), ("p99", 1.4, colours.p99, ""))
    return [
        Series(name, _values(frame[f"{prefix}{name}_ms"]), colour, width=width, ink=ink)
        for name, width, colour, ink in looks
    ]


def error_bars(frame: pd.DataFrame, colours: Palette) -> list[Series]:
    """Stacked bars over `error_series`; model calls are hatched, so that colour is not alone."""
    return [
        Series("Tool calls", _values(frame["tool_error_count"]), colours.bad, "bars"),
        Series("Model calls", _values(frame["model_error_count"]), colours.tool, "bars", hatched=True),
    ]


def ranked_bars(frame: pd.DataFrame, names: str, values: str, colours: Palette) -> list[Series]:
    """Stacked bars, one a `rank`: every rank has one row a moment."""
    return [
        Series(str(group[names].iloc[0]), _values(group[values]), series_colour(int(str(rank)), colours), "bars")
        for rank, group in frame.groupby("rank", sort=True)
    ]


def ranked_lines(frame: pd.DataFrame, names: str, values: str, colours: Palette) -> list[Series]:
    """One line a `rank`: every rank has one row a moment."""
    return [
        Series(str(group[names].iloc[0]), _values(group[values]), series_colour(int(str(rank)), colours), width=2)
        for rank, group in frame.groupby("rank", sort=True)
    ]


def moments(frame: pd.DataFrame) -> list[int]:
    """The moments of a series, each once."""
    return [int(each) for each in frame["middle_ms"].drop_duplicates()]


def heat_of(frame: pd.DataFrame) -> Heat | None:
    """The cells of `latency_heatmap`; None when there is no call."""
    cells = frame[frame["row_number"].notna()]
    if cells.empty:
        return None
    lowest, rows = float(cells["lowest_ms"].iloc[0]), int(cells["row_count"].iloc[0])
    return Heat(
        columns=[int(each) for each in cells["bucket"]],
        rows=[int(each) for each in cells["row_number"]],
        counts=[int(each) for each in cells["call_count"]],
        shares=[round(float(each), 4) for each in cells["share_of_fullest"]],
        edges=[formats.rough_duration(lowest * 10 ** (step / _STEPS_A_DECADE)) for step in range(rows)],
    )


def treemap(frame: pd.DataFrame, colours: Palette, height: int) -> Figure:
    """A Plotly treemap of `cost_tree`: boxes as large as their cost, ready-made labels, one colour a model."""
    fills = ["rgba(0,0,0,0)" if each == 0 else series_colour(int(each), colours) for each in frame["rank"]]
    trace = {
        "type": "treemap",
        "ids": [str(each) for each in frame["node_id"]],
        "parents": [str(each) for each in frame["parent_id"]],
        # Plotly reads a few tags in labels: as entities they are text.
        "labels": [formats.entities(formats.first_line(each, 60)) for each in frame["name"]],
        "values": [float(each) for each in frame["cost_usd"]],
        "text": [
            f"{formats.money(c)} · {formats.ratio(s)}"
            for c, s in zip(frame["cost_usd"], frame["cost_share"], strict=True)
        ],
        "branchvalues": "total",
        # In a box too small to be read, the pointer tells.
        "texttemplate": ["%{label}<br>%{text}" if each >= _LEGIBLE_SHARE else "" for each in frame["cost_share"]],
        "hovertemplate": "%{label}<br>%{text}<extra></extra>",
        "marker": {"colors": fills, "line": {"color": colours.card, "width": 2}},
        "pathbar": {"visible": True, "textfont": {"color": colours.text, "size": 12}},
        "tiling": {"pad": 2},
        "maxdepth": 3,
    }
    layout = {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 22, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": 12, "family": FONT},
        "hoverlabel": {"bgcolor": colours.card, "bordercolor": colours.border, "font": {"color": colours.text}},
    }
    return {"data": [trace], "layout": layout}


def free_figure(frame: pd.DataFrame, across: str, drawn: list[str], colours: Palette) -> Figure:
    """A Plotly figure of any rows: lines over times, else bars; names are only ever text."""
    over_time = bool(pd.api.types.is_datetime64_any_dtype(frame[across]))
    x = [
        str(each) if over_time else formats.entities(formats.first_line(formats.cell(each), 40))
        for each in frame[across]
    ]
    traces = [
        {
            "type": "scatter" if over_time else "bar",
            "mode": "lines+markers",
            "name": formats.entities(name),
            "x": x,
            "y": _values(frame[name]),
            "marker": {"color": series_colour(rank, colours)},
            "line": {"color": series_colour(rank, colours), "width": 2},
        }
        for rank, name in enumerate(drawn, start=1)
    ]
    if not over_time:
        traces = [{key: value for key, value in trace.items() if key not in {"mode", "line"}} for trace in traces]
    axis = {"zeroline": False, "tickfont": {"color": colours.muted, "size": 12}, "automargin": True}
    layout = {
        "height": 340,
        "barmode": "group",
        "bargap": 0.28,
        "showlegend": len(traces) > 1,
        "legend": {"orientation": "h", "y": 1.12, "font": {"color": colours.muted}},
        "margin": {"l": 4, "r": 8, "t": 8, "b": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": 12, "family": FONT},
        "xaxis": {**axis, "showgrid": False, "type": "date" if over_time else "category"},
        "yaxis": {**axis, "gridcolor": colours.hairline},
    }
    return {"data": traces, "layout": layout}


def series_colour(rank: int, colours: Palette) -> str:
    """The colour of the n-th series, counted from 1; from the sixth on they are `other`."""
    return colours.series[rank - 1] if rank <= len(colours.series) - 1 else colours.other


def _values(column: pd.Series) -> list[float | None]:
    return [formats.number(each) for each in column]
