"""The states of a rule with a window, and that data which come late change nothing but what they are about."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.alerts.episodes import (
    Episode,
    Reading,
    RuleState,
    judge,
    rewind_to,
    rewound,
    tick_at_or_before,
)
from spandeck_collector.alerts.rule import AlertRule

pytestmark = pytest.mark.unit

MINUTE = timedelta(minutes=1)
BEGIN = datetime(2026, 5, 4, 12)


def rule(hold: int = 0, cool_down: int = 0, no_data: str = "resolve", fires: str = "above") -> AlertRule:
    return AlertRule(
        "mine",
        "error",
        "m",
        "select 1",
        window=5 * MINUTE,
        interval=MINUTE,
        hold=hold * MINUTE,
        cool_down=cool_down * MINUTE,
        no_data=no_data,
        fires=fires,
    )


def reading(value: float, subject: str = "a", fires: bool | None = None) -> Reading:
    return Reading(subject, value, 1.0, None, None, value > 1 if fires is None else fires, f"value {value:g}")


def run(mine: AlertRule, values: list[float | None], start: int = 0, state: RuleState | None = None) -> list[Episode]:
    """All episodes after one reading a minute; None is a minute without data."""
    state = state or RuleState()
    ended: list[Episode] = []
    for number, value in enumerate(values, start=start):
        changes = judge(mine, state, at(number), [] if value is None else [reading(value)])
        ended += [change.after for change in changes if change.after and not change.after.is_open]
    return [*ended, *state.episodes.values()]


def at(minute: int) -> datetime:
    return BEGIN + minute * MINUTE


def told(episodes: list[Episode]) -> list[tuple[str, int | None, int | None]]:
    """State, minute of firing and minute of resolution."""

    def minute(time: datetime | None) -> int | None:
        return None if time is None else (time - BEGIN) // MINUTE

    return [(each.state, minute(each.fired_at), minute(each.resolved_at)) for each in episodes]


@pytest.mark.parametrize(
    ("hold", "cool_down", "values", "expected"),
    [
        (0, 0, [0, 2, 2, 0, 0], [("resolved", 1, 3)]),
        (0, 0, [1, 1], []),
        (2, 0, [2, 2], [("pending", None, None)]),
        (2, 0, [2, 2, 2], [("firing", 2, None)]),
        (2, 0, [2, 2, 0, 2, 2, 0], []),
        (0, 3, [2, 0, 0, 2, 0, 0, 0, 0], [("resolved", 0, 4)]),
        (0, 1, [2, 0, 0, 2], [("resolved", 0, 1), ("firing", 3, None)]),
        (0, 0, [2, None, 2], [("resolved", 0, 1), ("firing", 2, None)]),
    ],
)
def test_an_alert_goes_from_pending_to_resolved(
    hold: int, cool_down: int, values: list[float | None], expected: list[tuple[str, int | None, int | None]]
) -> None:
    assert told(run(rule(hold, cool_down), values)) == expected


def test_without_data_a_rule_keeps_resolves_or_says_so() -> None:
    values = [2.0, None, None]
    assert told(run(rule(no_data="resolve"), values)) == [("resolved", 0, 1)]
    assert told(run(rule(no_data="keep"), values)) == [("firing", 0, None)]
    assert told(run(rule(no_data="alert"), values)) == [("no_data", 0, None)]
    assert told(run(rule(no_data="alert"), [0.0, None])) == [("no_data", 1, None)]
    assert told(run(rule(no_data="alert"), [0.0, None, 0.0])) == [("resolved", 1, 2)]


def test_a_subject_that_never_came_back_is_forgotten_after_a_day() -> None:
    state = RuleState()
    run(rule(no_data="alert"), [0.0], state=state)
    run(rule(no_data="alert"), [None], start=24 * 60 + 1, state=state)
    assert state.episodes == {}


def test_a_rule_may_fire_below() -> None:
    state = RuleState()
    (change,) = judge(rule(fires="below"), state, BEGIN, [reading(0.5, fires=True), reading(0.1, fires=True)])
    assert change.after is not None
    assert change.after.value == 0.1


def test_what_fired_is_kept_as_it_was_then() -> None:
    (episode,) = run(rule(hold=1), [2, 3, 9])
    assert (episode.value, episode.message, episode.threshold) == (3, "value 3", 1.0)


def test_ticks_are_multiples_since_1970() -> None:
    assert tick_at_or_before(datetime(2026, 5, 4, 12, 0, 59), MINUTE) == BEGIN
    assert tick_at_or_before(BEGIN, MINUTE) == BEGIN


_VALUES = st.lists(st.sampled_from([0.0, 2.0, 3.0, None]), min_size=40, max_size=60)


@settings(max_examples=300, deadline=None)
@given(
    values=_VALUES,
    late=st.lists(st.sampled_from([0.0, 2.0, None]), min_size=1, max_size=60),
    late_minute=st.integers(1, 39),
    hold=st.integers(0, 4),
    cool_down=st.integers(0, 4),
    no_data=st.sampled_from(["resolve", "keep"]),
)
def test_judging_again_from_late_data_on_is_as_if_they_had_come_in_time(
    *,
    values: list[float | None],
    late: list[float | None],
    late_minute: int,
    hold: int,
    cool_down: int,
    no_data: str,
) -> None:
    mine = rule(hold, cool_down, no_data)
    before = run(mine, values)
    corrected = (values[:late_minute] + late + values[late_minute + len(late) :])[: len(values)]
    place = rewind_to(mine, at(late_minute - 1))
    kept = rewound(before, place)
    state = RuleState({each.subject: each for each in kept if each.is_open})
    start = max((place - BEGIN) // MINUTE + 1, 0)
    done = [each for each in kept if not each.is_open]
    again = [*done, *run(mine, corrected[start:], start, state)]
    assert again == run(mine, corrected)
