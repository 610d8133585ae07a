"""The shipped rules about spans, judged in the transaction that stores the spans."""

from __future__ import annotations

from spandeck_collector.alerts.rule import AlertRule, shipped_rules
from spandeck_collector.alerts.rule_sql import arrivals_statement


def arrival_rules() -> tuple[AlertRule, ...]:
    """The shipped rules that are judged as spans arrive."""
    return tuple(rule for rule in shipped_rules() if rule.key)


def prepare_arrival_rules() -> str:
    """The statement that plans `fire_alerts`."""
    return f"prepare fire_alerts as {arrivals_statement(arrival_rules())}"
