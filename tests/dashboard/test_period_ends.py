"""Ends of periods that cannot be, and spans that claim to come from the future."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_dashboard.filters import RANGES, fixed_end, period
from spandeck_dashboard.queries import ask_one

from .conftest import OpenPage, part_data, texts
from .stack import Stack, plain_span

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


@pytest.mark.unit
@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1970-12-31T23:59:59Z",
        "2027-11-25T00:00:00Z",
    ],
)
def test_an_address_without_a_sensible_end_ends_now(text: str | None) -> None:
    assert fixed_end(text, NOW) is None


@pytest.mark.unit
@pytest.mark.parametrize("text", ["2026-01-01T12:00:00Z", "2026-01-01T12:00:00", "2026-01-01T14:00:00+02:00"])
def test_a_sensible_end_is_kept_in_utc(text: str) -> None:
    assert fixed_end(text, NOW) == datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.unit
@given(st.datetimes(timezones=st.timezones()), st.sampled_from(sorted(RANGES)))
def test_whatever_end_is_taken_makes_a_period(end: datetime, name: str) -> None:
    filters = period(name, NOW, fixed_end(end.isoformat(), NOW))
    assert filters.before < filters.since < filters.until
    assert filters.now > NOW


@pytest.mark.integration
def test_the_page_lives_with_an_end_in_the_year_one(filled: Stack, open_page: OpenPage) -> None:
    page = open_page(filled, range="7d", until="0001-01-01T00:00:00Z")
    assert "Period ends" not in texts(page)
    assert part_data(page, "kpis")["cards"]


@pytest.mark.integration
def test_a_span_of_the_future_is_not_the_last_one(empty: Stack, open_page: OpenPage) -> None:
    two_centuries_s = 200 * 365 * 86_400
    empty.send([plain_span("0a" * 16, "0a" * 8, ago_s=-two_centuries_s)])
    assert "No spans in the last 15m; all that are stored start in the future." in texts(open_page(empty, range="15m"))
    empty.send([plain_span("0b" * 16, "0b" * 8, ago_s=7200)])
    page = open_page(empty, range="15m")
    assert "No spans in the last 15m; last one 2 h ago." in texts(page)
    page.button(key="jump").click().run(timeout=60)
    assert page.segmented_control(key="range").value == "6h"


@pytest.mark.integration
def test_the_extent_counts_every_stored_span(filled: Stack, asks: Callable[[Stack], None]) -> None:
    asks(filled)
    end = datetime.now(UTC) + timedelta(minutes=1)
    extent = ask_one("extent", since=end - timedelta(days=7), until=end)
    assert extent["span_count"] == filled.span_count()
    assert 0 < extent["period_genai_span_count"] <= extent["period_span_count"] <= extent["span_count"]
