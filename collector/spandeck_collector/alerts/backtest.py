"""A rule over the past: the judgements that were made live, or would have been, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from spandeck_collector.alerts.episodes import Episode, RuleState, judge, tick_at_or_before
from spandeck_collector.alerts.judging import Ask, Judge
from spandeck_collector.alerts.rule import AlertRule


@dataclass(frozen=True)
class PastAlert:
    """A row of the feed as the rule would have made it."""

    rule: str
    severity: str
    subject: str
    message: str
    value: float | None
    threshold: float | None
    fired_at: datetime | None
    resolved_at: datetime | None
    state: str
    trace_id: str | None
    span_id: str | None
    repeat_count: int = 1


def backtest(
    rule: AlertRule,
    ask: Ask,
    since: datetime,
    until: datetime,
    progress: Callable[[datetime], None] = lambda tick: None,
) -> list[PastAlert]:
    """What `rule` says from `since` to `until` (UTC without a zone), oldest first; `progress` hears each tick.

    Raises `RuleError` for a rule that cannot be used, and whatever `ask` raises.
    """
    judge_ = Judge(rule, ask)
    if rule.key:
        return [
            PastAlert(
                rule.name,
                rule.severity,
                each.subject,
                each.message,
                each.value,
                each.threshold,
                each.fired_at,
                None,
                "firing",
                each.trace_id,
                each.span_id,
                each.repeat_count,
            )
            for each in judge_.sightings(since, until)
        ]
    return _episodes(judge_, since, until, progress)


def _episodes(judge_: Judge, since: datetime, until: datetime, progress: Callable[[datetime], None]) -> list[PastAlert]:
    rule, state = judge_.rule, RuleState()
    ended: list[Episode] = []
    tick = tick_at_or_before(since, rule.interval)
    last = tick_at_or_before(until, rule.interval)
    while tick < last:
        tick += rule.interval
        changes = judge(rule, state, tick, judge_.readings(tick))
        ended += [change.after for change in changes if change.after is not None and not change.after.is_open]
        progress(tick)
    episodes = sorted((*ended, *state.episodes.values()), key=lambda each: (each.pending_at, each.subject))
    return [_past(rule, episode) for episode in episodes]


def tick_count(rule: AlertRule, since: datetime, until: datetime) -> int:
    """How many judgements a backtest makes."""
    if rule.key:
        return 0
    length: timedelta = tick_at_or_before(until, rule.interval) - tick_at_or_before(since, rule.interval)
    return length // rule.interval


def _past(rule: AlertRule, episode: Episode) -> PastAlert:
    return PastAlert(
        rule.name,
        rule.severity,
        episode.subject,
        episode.message,
        episode.value,
        episode.threshold,
        episode.fired_at,
        episode.resolved_at,
        episode.state,
        episode.trace_id,
        episode.span_id,
    )
