"""What is deleted when it is old enough; what no rule names is kept for ever."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Follower:
    """A table whose rows go with those of another that has the same trace id; `received` is its column of receipt."""

    table: str
    received: str = "received_at"


@dataclass(frozen=True)
class Rule:
    """Rows of `table` go when `received` (a time, UTC) is more days ago than the setting `days` says.

    The newest `at_least` rows stay however old they are. `followers` go in the same transaction.
    """

    table: str
    received: str
    days: str
    at_least: int = 0
    followers: tuple[Follower, ...] = ()

    def until(self, most_rows: int) -> str:
        """A query for the latest `received` of the oldest `most_rows` rows before `$cutoff`; NULL: there is none."""
        kept = f"order by {self.received} desc limit 1 offset {self.at_least - 1}"
        kept_since = f"and {self.received} < (select {self.received} from store.{self.table} {kept})"
        return f"""
            select max({self.received}) from (
                select {self.received} from store.{self.table}
                where {self.received} < $cutoff {kept_since if self.at_least else ""}
                order by {self.received} limit {most_rows}
            )
        """

    def deletes(self) -> tuple[str, ...]:
        """Statements that delete up to and with `$until`, those of the followers first."""
        old = f"where {self.received} <= $until"
        traces = f"and trace_id in (select trace_id from store.{self.table} {old})"
        following = (f"delete from store.{f.table} where {f.received} <= $until {traces}" for f in self.followers)
        return (*following, f"delete from store.{self.table} {old}")


RULES = (
    Rule("content_parts", "received_hour", "content_days"),
    # A trace goes as a whole, once no span of it came for so long: sums of a trace that is left are those of its spans.
    Rule(
        "traces",
        "last_received_at",
        "span_days",
        followers=(
            Follower("spans"),
            Follower("calls", "first_received_at"),
            Follower("span_events"),
            Follower("agent_runs", "first_received_at"),
        ),
    ),
    Rule("span_content", "received_at", "span_days"),
    Rule("evaluations", "received_at", "span_days"),
    Rule("log_records", "received_at", "span_days"),
    Rule("metric_points", "received_at", "span_days"),
    Rule("ingest_log", "logged_at", "span_days"),
    Rule("alerts", "fired_at", "alert_days", at_least=1_000),
    Rule("rollup_hour", "hour", "rollup_days"),
    Rule("rollup_day", "day", "rollup_days"),
    Rule("commands", "ran_at", "rollup_days"),
)
"""Run in this order."""

KEPT = ("about", "journal_position", "price_models", "prices", "saved_queries")
"""Tables that do not grow with time."""
