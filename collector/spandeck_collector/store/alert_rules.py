"""Alert rules: one `.sql` file each, its head saying severity, key and message; run over a range of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import duckdb

from spandeck_schema import catalog

_HEAD = re.compile(r"^-- (\w+): (.*)$", re.MULTILINE)
SEVERITIES = ("info", "warning", "error", "critical")
_KEYS = {"span": "trace_id || '/' || span_id", "trace": "trace_id"}


@dataclass(frozen=True)
class AlertRule:
    """`query` returns subject, value, threshold, occurred_at, trace_id and span_id between $since and $until.

    `key` is what an alert is about: of the same `span` or `trace` a rule fires once.
    """

    name: str
    severity: str
    key: str
    message: str
    query: str


@cache
def shipped_rules() -> tuple[AlertRule, ...]:
    """The rules that come with Spandeck, by name."""
    return tuple(parse_rule(file.name, file.text) for file in catalog.sql_files("alerts"))


def parse_rule(name: str, text: str) -> AlertRule:
    """Read a rule's head. Raises `ValueError` naming the rule and the entry that is missing or wrong."""
    head = dict(_HEAD.findall(text))
    for entry in ("severity", "key", "message"):
        if not head.get(entry):
            raise ValueError(f"Alert rule {name} has no '-- {entry}: ...' line: add it to the head of the file.")
    if head["severity"] not in SEVERITIES or head["key"] not in _KEYS:
        raise ValueError(
            f"Alert rule {name} has severity {head['severity']!r} and key {head['key']!r}: "
            f"use one of {', '.join(SEVERITIES)} and one of {', '.join(_KEYS)}."
        )
    return AlertRule(name, head["severity"], head["key"], head["message"], text)


def prepare_rule(connection: duckdb.DuckDBPyConnection, rule: AlertRule) -> None:
    """Plan the statement that `fire` runs."""
    key = f"{_quoted(rule.name + '/')} || {_KEYS[rule.key]}"
    message = _quoted(rule.message)
    for name, text in (("value", _number("value")), ("threshold", _number("threshold")), ("subject", "subject")):
        message = f"replace({message}, '{{{name}}}', {text})"
    connection.execute(f"""
        prepare fire_{rule.name} as
        insert into fired_alerts by name
        with fired as ({rule.query})
        select
            {_quoted(rule.name)} as rule,
            {_quoted(rule.severity)} as severity,
            subject,
            {message} as message,
            value,
            threshold,
            occurred_at as fired_at,
            'firing' as state,
            trace_id,
            span_id,
            {key} as alert_key
        from fired
    """)


def fire(connection: duckdb.DuckDBPyConnection, rule: AlertRule, since: datetime, until: datetime) -> None:
    """Put into `fired_alerts` what a prepared rule says of that which began from `since` to before `until` (UTC)."""
    connection.execute(f"execute fire_{rule.name}(since := timestamp '{since}', until := timestamp '{until}')")


def _number(column: str) -> str:
    whole = f"format('{{:,}}', cast({column} as bigint))"
    return f"case when {column} = floor({column}) then {whole} else format('{{:,.2f}}', {column}) end"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
