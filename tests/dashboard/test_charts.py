"""Charts are plain descriptions of frames: gaps stay gaps and names do not cover each other."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from spandeck_dashboard import charts
from spandeck_dashboard.theme import DARK, LIGHT

pytestmark = pytest.mark.unit

UNTIL = datetime(2026, 11, 24, 15, tzinfo=UTC)
SINCE = UNTIL - timedelta(hours=1)


def latencies(*rows: tuple[float | None, float | None, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["p50_s", "p95_s", "p99_s"], dtype="float64")
    return frame.assign(middle_ms=[1_795_000_000_000 + index for index in range(len(rows))])


def test_a_bucket_without_calls_is_unknown_and_not_zero() -> None:
    chart = charts.latency_chart(latencies((1, 2, 3), (None, None, None), (1, 2, 4)), SINCE, UNTIL, LIGHT)
    assert chart["series"][0]["data"][1] == [1_795_000_000_001, None]


def test_the_names_of_lines_that_end_together_are_moved_apart() -> None:
    chart = charts.latency_chart(latencies((5, 5, 5)), SINCE, UNTIL, DARK)
    shifts = [line["endLabel"]["offset"][1] for line in chart["series"]]
    assert shifts == sorted(shifts, reverse=True)
    assert len(set(shifts)) == 3


def test_the_axis_covers_the_period() -> None:
    chart = charts.latency_chart(latencies((1, 2, 3)), SINCE, UNTIL, LIGHT)
    assert chart["xAxis"]["max"] - chart["xAxis"]["min"] == 3_600_000


def test_a_cost_figure_has_one_colour_a_rank_and_grey_for_the_rest() -> None:
    frame = pd.DataFrame(
        {
            "middle_ms": [1_795_000_000_000] * 3,
            "rank": [1, 2, 6],
            "model": ["a", "b", "other"],
            "cost_usd": [3.0, 2.0, 1.0],
        }
    )
    figure = charts.cost_figure(frame, SINCE, UNTIL, LIGHT, "Europe/Berlin")
    assert [trace["marker"]["color"] for trace in figure["data"]] == [LIGHT.series[0], LIGHT.series[1], LIGHT.other]


def test_every_chart_can_be_sent_as_json() -> None:
    errors = pd.DataFrame({"middle_ms": [1], "model_error_count": [0], "tool_error_count": [2]})
    json.dumps(charts.error_chart(errors, SINCE, UNTIL, DARK))
    json.dumps(charts.latency_chart(latencies((1, 2, None)), SINCE, UNTIL, DARK))
