"""What is drawn of a frame: unknown stays unknown, ranks keep their colours, names are only ever text."""

import json
from datetime import datetime

import pandas as pd
import pytest

from spandeck_dashboard import charts
from spandeck_dashboard.theme import DARK, LIGHT

pytestmark = pytest.mark.unit

EVIL = "<b>bold</b><img src=x onerror=alert(1)>"


def test_a_bucket_without_calls_is_unknown_and_not_zero() -> None:
    frame = pd.DataFrame({name: [1.0, None, 3.0] for name in ("p50_ms", "p95_ms", "p99_ms")})
    for line in charts.percentile_lines(frame, LIGHT):
        assert list(line.values) == [1.0, None, 3.0]


def test_ranks_have_one_colour_each_and_grey_for_the_rest() -> None:
    frame = pd.DataFrame({"rank": [1, 1, 2, 2, 6, 6], "name": list("aabboo"), "value": [3.0, None, 2.0, 1.0, 1.0, 0.5]})
    bars = charts.ranked_bars(frame, "name", "value", LIGHT)
    assert [bar.colour for bar in bars] == [LIGHT.series[0], LIGHT.series[1], LIGHT.other]
    assert list(bars[0].values) == [3.0, None]
    assert [line.shape for line in charts.ranked_lines(frame, "name", "value", DARK)] == ["line"] * 3


def test_model_and_tool_failures_are_told_apart_without_colour() -> None:
    bars = charts.error_bars(pd.DataFrame({"model_error_count": [0], "tool_error_count": [2]}), DARK)
    assert [bar.hatched for bar in bars] == [False, True]


def test_a_heatmap_has_no_cell_where_nothing_was_called_and_names_its_steps() -> None:
    frame = pd.DataFrame(
        {
            "bucket": [0, 1, 2],
            "row_number": [0.0, None, 2.0],
            "row_count": [3] * 3,
            "lowest_ms": [100.0] * 3,
            "call_count": [4.0, None, 8.0],
            "share_of_fullest": [0.5, None, 1.0],
        }
    )
    heat = charts.heat_of(frame)
    assert heat is not None
    assert (list(heat.columns), list(heat.rows), list(heat.counts)) == ([0, 2], [0, 2], [4, 8])
    assert list(heat.edges) == ["100 ms", "180 ms", "320 ms"]
    assert charts.heat_of(frame.assign(row_number=None)) is None


def test_names_in_plotly_are_text_and_figures_can_be_sent() -> None:
    tree = pd.DataFrame(
        {
            "node_id": ["all", "model:x"],
            "parent_id": ["", "all"],
            "name": ["All models", EVIL],
            "rank": [0, 1],
            "cost_usd": [1.0, 1.0],
            "cost_share": [1.0, 1.0],
        }
    )
    free = pd.DataFrame({EVIL: [1, 2], "at": [datetime(2026, 1, 1), datetime(2026, 1, 2)], "name": [EVIL, "b"]})
    for figure in (
        charts.treemap(tree, LIGHT, 300),
        charts.free_figure(free, "at", [EVIL], DARK),
        charts.free_figure(free, "name", [EVIL], DARK),
    ):
        sent = json.dumps(figure["data"][0].get("labels", figure["data"][0].get("x")))
        assert "<img" not in sent
        assert "<b>" not in str(figure["data"][0].get("name", ""))
