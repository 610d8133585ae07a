"""What a rule with a window says over time: one episode a subject, from pending to resolved. Pure; no clock, no SQL.

A judgement is made for each tick, a multiple of the rule's interval since 1970. Live, over a replay and over the past
the same calls are made with the same readings, so all three come to the same episodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from spandeck_collector.alerts.rule import AlertRule

PENDING, FIRING, NO_DATA, RESOLVED = "pending", "firing", "no_data", "resolved"
_EPOCH = datetime(1970, 1, 1)
_REMEMBERED = timedelta(days=1)
_NO_DATA_MESSAGE = "{} has no data for the rule {}"


@dataclass(frozen=True)
class Reading:
    """What a rule's query says of one subject at one tick; `fires` by the comparison that the rule names."""

    subject: str
    value: float
    threshold: float | None
    trace_id: str | None
    span_id: str | None
    fires: bool
    message: str


@dataclass(frozen=True)
class Episode:
    """One alert of a subject. Value, threshold, ids and message are those of the tick at which it fired.

    `quiet_at` is the first tick since which it has not fired; it is resolved then, once it has been quiet for the
    rule's cool-down, so that what comes and goes is one alert.
    """

    subject: str
    message: str
    value: float | None
    threshold: float | None
    trace_id: str | None
    span_id: str | None
    state: str
    pending_at: datetime
    fired_at: datetime | None = None
    quiet_at: datetime | None = None
    resolved_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether a tick can still change it."""
        return self.state != RESOLVED


@dataclass
class RuleState:
    """Open episodes by subject; of a rule that alerts when data fail to come, when subjects were seen (first, last)."""

    episodes: dict[str, Episode] = field(default_factory=dict)
    seen: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What a tick did to an episode; `after` None: it was pending and never fired."""

    before: Episode | None
    after: Episode | None


def tick_at_or_before(moment: datetime, interval: timedelta) -> datetime:
    """The latest tick that is not after `moment` (UTC without a zone)."""
    return moment - (moment - _EPOCH) % interval


def judge(rule: AlertRule, state: RuleState, tick: datetime, readings: Iterable[Reading]) -> list[Change]:
    """Move a rule's state to `tick` by the readings of the window that ends there; what changed."""
    by_subject = _gravest(rule, readings)
    if rule.no_data == "alert":
        _remember(state, tick, by_subject)
    changes = []
    for subject in sorted({*by_subject, *state.episodes, *state.seen}):
        before = state.episodes.get(subject)
        after = _next(rule, before, subject, tick, by_subject.get(subject))
        if after == before:
            continue
        changes.append(Change(before, after))
        if after is None or not after.is_open:
            state.episodes.pop(subject, None)
        else:
            state.episodes[subject] = after
    return changes


def rewound(episodes: Sequence[Episode], at: datetime) -> list[Episode]:
    """The episodes as they stood after the tick `at`, from all that the rule has; later ones are gone."""
    return [_as_of(episode, at) for episode in episodes if episode.pending_at <= at]


def rewind_to(rule: AlertRule, late_at: datetime) -> datetime:
    """The tick after which a rule must judge again when data of `late_at` came late.

    Two memories reach back: that of what was pending and never fired, and that of what was quiet and came again.
    """
    return tick_at_or_before(late_at, rule.interval) - _ticks(rule.hold, rule) - _ticks(rule.cool_down, rule)


def _ticks(length: timedelta, rule: AlertRule) -> timedelta:
    """The length in whole intervals, rounded up, and one more."""
    return rule.interval * (length // rule.interval + 2)


def _gravest(rule: AlertRule, readings: Iterable[Reading]) -> Mapping[str, Reading]:
    """One reading a subject: of several the one that fires, then the one furthest beyond."""
    sign = 1 if rule.fires == "above" else -1
    ordered = sorted(readings, key=lambda each: (each.fires, sign * each.value))
    return {each.subject: each for each in ordered}


def _remember(state: RuleState, tick: datetime, readings: Mapping[str, Reading]) -> None:
    for subject in readings:
        state.seen[subject] = (state.seen.get(subject, (tick, tick))[0], tick)
    forgotten = [subject for subject, (_, last) in state.seen.items() if tick - last > _REMEMBERED]
    for subject in forgotten:
        del state.seen[subject]


def _next(
    rule: AlertRule, episode: Episode | None, subject: str, tick: datetime, reading: Reading | None
) -> Episode | None:
    """The subject's episode after the tick; None where there is none, RESOLVED where it ends."""
    if reading is None:
        if rule.no_data == "keep":
            return episode
        if rule.no_data == "alert":
            return _without_data(rule, episode, subject, tick)
    if reading is not None and reading.fires:
        return _firing(rule, episode, tick, reading)
    return None if episode is None else _quiet(rule, episode, tick)


def _firing(rule: AlertRule, episode: Episode | None, tick: datetime, reading: Reading) -> Episode:
    if episode is not None and episode.state != PENDING:
        return replace(episode, state=FIRING, quiet_at=None)
    pending_at = tick if episode is None else episode.pending_at
    told = (reading.subject, reading.message, reading.value, reading.threshold, reading.trace_id, reading.span_id)
    if tick - pending_at >= rule.hold:
        return Episode(*told, FIRING, pending_at, fired_at=tick)
    return Episode(*told, PENDING, pending_at)


def _quiet(rule: AlertRule, episode: Episode, tick: datetime) -> Episode | None:
    if episode.state == PENDING:
        return None
    quiet_at = episode.quiet_at or tick
    if tick - quiet_at >= rule.cool_down:
        return replace(episode, state=RESOLVED, quiet_at=quiet_at, resolved_at=quiet_at)
    return replace(episode, quiet_at=quiet_at)


def _without_data(rule: AlertRule, episode: Episode | None, subject: str, tick: datetime) -> Episode:
    if episode is None:
        message = _NO_DATA_MESSAGE.format(subject, rule.name)
        return Episode(subject, message, None, None, None, None, NO_DATA, tick, tick)
    if episode.state == PENDING:
        return replace(episode, state=NO_DATA, fired_at=tick, quiet_at=None)
    return replace(episode, state=NO_DATA, quiet_at=None)


def _as_of(episode: Episode, at: datetime) -> Episode:
    if episode.fired_at is None or episode.fired_at > at:
        return replace(episode, state=PENDING, fired_at=None, quiet_at=None, resolved_at=None)
    if episode.quiet_at is None or episode.quiet_at > at:
        state = NO_DATA if episode.state == NO_DATA else FIRING
        return replace(episode, state=state, quiet_at=None, resolved_at=None)
    return episode
