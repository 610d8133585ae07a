"""Periods: where they begin and end."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_dashboard.filters import RANGES, period

pytestmark = pytest.mark.unit

MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))


@given(st.sampled_from(sorted(RANGES)), MOMENTS)
def test_a_live_period_holds_now_and_is_as_long_as_its_name_says(name: str, now: datetime) -> None:
    filters = period(name, now)
    assert filters.since <= now < filters.until
    assert filters.until - filters.since == RANGES[name]
    assert filters.since - filters.before == RANGES[name]


@given(st.sampled_from(sorted(RANGES)), MOMENTS)
def test_questions_within_a_second_are_mostly_the_same_question(name: str, now: datetime) -> None:
    ends = {period(name, now + timedelta(milliseconds=step)).until for step in (0, 400, 900)}
    assert len(ends) <= 2


def test_a_period_can_end_in_the_past() -> None:
    end = datetime(2026, 1, 1, tzinfo=UTC)
    filters = period("1h", datetime(2026, 6, 1, tzinfo=UTC), end)
    assert (filters.until, filters.is_live) == (end, False)


def test_a_stretch_of_a_chart_is_a_period_with_one_as_long_before_it() -> None:
    now = datetime(2026, 11, 24, 15, tzinfo=UTC)
    since, until = now - timedelta(hours=3), now - timedelta(hours=1)
    chosen = period("24h", now, until, since)
    assert (chosen.since, chosen.until, chosen.before) == (since, until, since - timedelta(hours=2))
    assert chosen.is_cut
    assert not chosen.is_live
    assert (chosen.name, chosen.against) == ("2h 00m", "vs time before")


@pytest.mark.parametrize("since", [None, datetime(2026, 11, 24, 14, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)])
def test_a_beginning_that_is_not_before_the_end_is_none(since: datetime | None) -> None:
    until = datetime(2026, 11, 24, 14, tzinfo=UTC)
    assert period("1h", until, until, since) == period("1h", until, until)
