"""How numbers and times are written; unknown is never 0."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_dashboard import formats

pytestmark = pytest.mark.unit

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0"),
        (0.00001, "<$0.0001"),
        (0.0042, "$0.0042"),
        (0.193, "$0.193"),
        (338.42, "$338.42"),
        (2335.2, "$2,335"),
        (-0.5, "-$0.500"),
        (None, formats.UNKNOWN),
    ],
)
def test_money_has_the_digits_that_matter(usd: float | None, text: str) -> None:
    assert formats.money(usd) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (0.42, "0.42 ms"),
        (850, "850 ms"),
        (999.7, "1.00 s"),
        (3070, "3.07 s"),
        (59_998, "1m 00s"),
        (96_000, "1m 36s"),
        (7_500_000, "2h 05m"),
        (273_600_000, "3d 4h"),
        (float("nan"), formats.UNKNOWN),
    ],
)
def test_durations_change_their_unit(milliseconds: float, text: str) -> None:
    assert formats.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (850, "850"), (999.6, "1k"), (1234, "1.23k"), (999_960, "1M"), (162_130_000, "162M"), (1.13e9, "1.13B")],
)
def test_counts_are_short(value: float, text: str) -> None:
    assert formats.count(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (1, "100 %"), (0.0137, "1.37 %"), (0.42, "42.0 %"), (None, formats.UNKNOWN)]
)
def test_ratios_are_percentages(share: float | None, text: str) -> None:
    assert formats.ratio(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.015, "+1.5 %"), (-0.008, "-0.8 %"), (0.0001, "0 %"), (4.1, "+410 %"), (11, "+12x"), (None, formats.UNKNOWN)],
)
def test_changes_carry_their_sign(share: float | None, text: str) -> None:
    assert formats.change(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.3, "just now"), (12, "12 s ago"), (200, "3 min ago"), (7300, "2 h ago"), (432_000, "5 d ago")],
)
def test_ages_are_relative(seconds: float, text: str) -> None:
    assert formats.ago(seconds) == text


def test_times_are_shown_in_the_readers_zone_and_unknown_zones_are_utc() -> None:
    moment = datetime(2026, 11, 24, 14, 6, 36, tzinfo=UTC)
    assert formats.moment(moment, "Europe/Berlin") == "Nov 24 15:06:36"
    assert formats.moment(moment.replace(tzinfo=None), "No/Where") == "Nov 24 14:06:36"
    assert formats.moment(None) == formats.UNKNOWN


def test_long_json_is_indented_and_long_text_is_cut() -> None:
    assert formats.pretty('{"a":1}', 100) == ('{\n "a": 1\n}', "json")
    assert formats.pretty("[not json", 100) == ("[not json", None)
    text, language = formats.pretty("x" * 50, 10)
    assert text.startswith("x" * 10 + "\n")
    assert language is None


@given(NUMBERS)
def test_a_known_number_is_never_shown_as_unknown(value: float) -> None:
    for write in (formats.count, formats.whole, formats.duration, formats.money, formats.ratio, formats.change):
        assert write(value) not in {"", formats.UNKNOWN}


@given(st.sampled_from([None, float("nan"), float("inf")]))
def test_an_unknown_number_is_never_shown_as_zero(value: float | None) -> None:
    for write in (formats.count, formats.whole, formats.duration, formats.money, formats.ratio, formats.change):
        assert write(value) == formats.UNKNOWN


@given(st.floats(min_value=0, max_value=1e12), st.floats(min_value=0, max_value=1e12))
def test_a_larger_count_is_never_written_as_a_smaller_one(one: float, two: float) -> None:
    scales = {"k": 1e3, "M": 1e6, "B": 1e9}

    def read(text: str) -> float:
        return float(text.rstrip("kMB")) * scales.get(text[-1], 1.0)

    low, high = sorted((one, two))
    assert read(formats.count(low)) <= read(formats.count(high))
