"""Frames to chart descriptions: plain dicts, no number made here, every label plain text."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

import pandas as pd

from spandeck_dashboard import formats
from spandeck_dashboard.theme import FONT, Palette

Chart = dict[str, Any]

_PLOT_PX = 240
_LABEL_PX = 14
_TIME_LABELS = {
    "year": "{yyyy}",
    "month": "{MMM} {d}",
    "day": "{MMM} {d}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
    "second": "{HH}:{mm}:{ss}",
}


def latency_chart(frame: pd.DataFrame, since: datetime, until: datetime, colours: Palette) -> Chart:
    """Three lines over `latency_series`, named at their ends; where nothing was called, they break off."""
    lines = (
        ("p50", "p50_s", 1.6, colours.p50, colours.muted),
        ("p95", "p95_s", 2.4, colours.p95, colours.p95),
        ("p99", "p99_s", 1.4, colours.p99, colours.p99),
    )
    return {
        **_base(colours),
        "grid": {"left": 8, "right": 40, "top": 12, "bottom": 4, "containLabel": True},
        "xAxis": _time_axis(since, until, colours),
        "yAxis": _value_axis(colours, "{value} s"),
        "series": [
            _line(name, _pairs(frame, column), width=width, colours=(line, label), shift=shift)
            for (name, column, width, line, label), shift in zip(lines, _label_shifts(frame), strict=True)
        ],
        "tooltip": _tooltip(colours, "%.2f s"),
    }


def error_chart(frame: pd.DataFrame, since: datetime, until: datetime, colours: Palette) -> Chart:
    """Stacked bars over `error_series`; model calls are hatched, so that colour is not alone."""
    hatch = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 3], "rotation": -0.785}
    tool = _bars("Tool calls", _pairs(frame, "tool_error_count"), {"color": colours.bad})
    model = _bars(
        "Model calls",
        _pairs(frame, "model_error_count"),
        {"color": colours.tool, "decal": {**hatch, "color": colours.card}},
    )
    return {
        **_base(colours),
        "grid": {"left": 8, "right": 12, "top": 30, "bottom": 4, "containLabel": True},
        "legend": {
            "top": 0,
            "right": 4,
            "itemWidth": 10,
            "itemHeight": 10,
            "itemGap": 14,
            "textStyle": {"color": colours.muted, "fontSize": 12},
        },
        "xAxis": _time_axis(since, until, colours),
        "yAxis": {**_value_axis(colours, "{value}"), "minInterval": 1},
        "series": [tool, model],
        "tooltip": _tooltip(colours, "%d"),
    }


def cost_figure(frame: pd.DataFrame, since: datetime, until: datetime, colours: Palette, zone: str | None) -> Chart:
    """A Plotly figure as a dict: stacked bars over `cost_series`, one colour a model rank."""
    local = formats.zone_of(zone)
    traces = []
    for _, group in frame.groupby("rank", sort=True):
        model = str(group["model"].iloc[0])
        traces.append(
            {
                "type": "bar",
                "name": model,
                "x": [_local_text(ms, local) for ms in group["middle_ms"]],
                "y": [float(usd) for usd in group["cost_usd"]],
                "customdata": [formats.money(usd) for usd in group["cost_usd"]],
                "hovertemplate": "%{x|%b %d %H:%M}  %{customdata}<extra>%{fullData.name}</extra>",
                "marker": {"color": series_colour(int(group["rank"].iloc[0]), colours), "line": {"width": 0}},
            }
        )
    return {"data": traces, "layout": _cost_layout(since, until, colours, local)}


def series_colour(rank: int, colours: Palette) -> str:
    """The colour of the n-th series, counted from 1; from the sixth on they are `other`."""
    return colours.series[rank - 1] if rank <= len(colours.series) - 1 else colours.other


def _cost_layout(since: datetime, until: datetime, colours: Palette, zone: tzinfo) -> Chart:
    ends = [_local_text(moment.replace(tzinfo=UTC).timestamp() * 1000, zone) for moment in (since, until)]
    axis = {"fixedrange": True, "zeroline": False, "tickfont": {"color": colours.muted, "size": 12}}
    return {
        "barmode": "stack",
        "bargap": 0.28,
        "showlegend": False,
        "height": 150,
        "margin": {"l": 4, "r": 8, "t": 6, "b": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": 12, "family": FONT},
        "hoverlabel": {
            "bgcolor": colours.card,
            "bordercolor": colours.border,
            "font": {"color": colours.text, "size": 12},
        },
        "xaxis": {**axis, "type": "date", "range": ends, "showgrid": False, "nticks": 5, "automargin": True},
        "yaxis": {
            **axis,
            "gridcolor": colours.hairline,
            "tickprefix": "$",
            "nticks": 4,
            "rangemode": "tozero",
            "automargin": True,
        },
    }


def _base(colours: Palette) -> Chart:
    text = {"color": colours.text, "fontFamily": FONT}
    return {"animation": False, "backgroundColor": "transparent", "textStyle": text}


def _time_axis(since: datetime, until: datetime, colours: Palette) -> Chart:
    return {
        "type": "time",
        "min": round(since.replace(tzinfo=UTC).timestamp() * 1000),
        "max": round(until.replace(tzinfo=UTC).timestamp() * 1000),
        "splitNumber": 5,
        "axisLine": {"lineStyle": {"color": colours.border}},
        "axisTick": {"show": False},
        "splitLine": {"show": False},
        "axisLabel": {
            "color": colours.muted,
            "fontSize": 12,
            "hideOverlap": True,
            "showMinLabel": False,
            "showMaxLabel": False,
            "formatter": _TIME_LABELS,
        },
    }


def _value_axis(colours: Palette, template: str) -> Chart:
    return {
        "type": "value",
        "min": 0,
        "splitNumber": 4,
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"lineStyle": {"color": colours.hairline}},
        "axisLabel": {"color": colours.muted, "fontSize": 12, "formatter": template},
    }


def _tooltip(colours: Palette, value_format: str) -> Chart:
    return {
        "trigger": "axis",
        "confine": True,
        "valueFormatter": value_format,
        "backgroundColor": colours.card,
        "borderColor": colours.border,
        "padding": [6, 10],
        "textStyle": {"color": colours.text, "fontSize": 12},
        "axisPointer": {"lineStyle": {"color": colours.muted, "type": "dashed"}},
    }


def _label_shifts(frame: pd.DataFrame) -> list[float]:
    """How far (px, up is negative) the names at the line ends must move so that none covers another."""
    top = formats.number(frame["p99_s"].max()) or 1.0
    ends = [formats.number(frame[column].dropna().tail(1).max()) or 0.0 for column in ("p50_s", "p95_s", "p99_s")]
    heights = [end / top * _PLOT_PX for end in ends]
    placed = [heights[0]]
    for height in heights[1:]:
        placed.append(max(height, placed[-1] + _LABEL_PX))
    return [height - place for height, place in zip(heights, placed, strict=True)]


def _line(name: str, pairs: list[list[float | None]], *, width: float, colours: tuple[str, str], shift: float) -> Chart:
    line, label = colours
    return {
        "type": "line",
        "name": name,
        "data": _points(pairs),
        "color": line,
        "lineStyle": {"width": width},
        "connectNulls": False,
        "symbol": "none",
        "endLabel": {
            "show": True,
            "formatter": "{a}",
            "color": label,
            "fontSize": 12,
            "distance": 6,
            "offset": [0, shift],
        },
        "emphasis": {"disabled": True},
    }


def _points(pairs: list[list[float | None]]) -> list[Any]:
    """The pairs, those without a neighbour as dots: a line needs two ends to show."""
    known = [False, *(value is not None for _, value in pairs), False]
    return [
        {"value": pair, "symbol": "circle", "symbolSize": 5} if here and not (before or after) else pair
        for pair, before, here, after in zip(pairs, known, known[1:], known[2:], strict=False)
    ]


def _bars(name: str, pairs: list[list[float | None]], style: Chart) -> Chart:
    return {"type": "bar", "name": name, "stack": "all", "data": pairs, "itemStyle": style, "barMaxWidth": 14}


def _pairs(frame: pd.DataFrame, column: str) -> list[list[float | None]]:
    values = (formats.number(value) for value in frame[column])
    return [[int(ms), value] for ms, value in zip(frame["middle_ms"], values, strict=True)]


def _local_text(milliseconds: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
