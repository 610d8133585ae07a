"""The statements that are made of a rule's query: the same for arrivals, for the clock and for the past."""

from __future__ import annotations

import re

from spandeck_collector.alerts.rule import KEYS, AlertRule
from spandeck_schema import catalog

MOST_READINGS = 1_000
"""Rows of one judgement: a rule with more subjects is no use to anyone."""

_BOUND = re.compile(r"\$(since|until)\b")
_PARAMETERS = {"since": "cast($1 as timestamp)", "until": "cast($2 as timestamp)"}
_ALWAYS = {"since": "timestamp '0001-01-01'", "until": "timestamp '9999-12-31'"}
_BATCH = {"store.calls": "settled_calls", "store.traces": "settled_traces"}
_NEW_SPANS = "select new_spans.*, incoming_spans.attributes from new_spans inner join incoming_spans using (arrival)"
_PLACEHOLDERS = {
    "{subject}": "subject",
    "{value}": "value",
    "{threshold}": "threshold",
    "{value %}": "100.0 * value",
    "{threshold %}": "100.0 * threshold",
}
_PLACEHOLDER = re.compile(f"({'|'.join(map(re.escape, _PLACEHOLDERS))})")


def bound_query(rule: AlertRule) -> str:
    """The rule's own query, with $1 and $2 in place of $since and $until; its lines are those of the file."""
    return _bound(rule.query, _PARAMETERS)


def columns_query(rule: AlertRule) -> str:
    """No rows, but the columns of the rule's query; its lines are those of the file."""
    return f"select * from ({bound_query(rule)}\n) limit 0"


def readings_query(rule: AlertRule, *, has_volume: bool) -> str:
    """Rows of `Reading` from $1 to before $2, for a rule with a window."""
    comparison = ">" if rule.fires == "above" else "<"
    return f"""with fired as ({bound_query(rule)}
),
read as (
    select
        left(cast(subject as varchar), 200) as subject,
        cast(value as double) as value,
        cast(threshold as double) as threshold,
        cast(trace_id as varchar) as trace_id,
        cast(span_id as varchar) as span_id,
        {"coalesce(volume, 0)" if has_volume else "null"} as volume
    from fired
    where cast($1 as timestamp) < cast($2 as timestamp) and subject is not null and value is not null
)
select
    subject,
    value,
    threshold,
    trace_id,
    span_id,
    coalesce(value {comparison} threshold, false) as fires,
    {_message(rule)} as message
from read
where coalesce(volume >= {rule.minimum_volume}, true)
order by subject, value, trace_id, span_id
limit {MOST_READINGS + 1}"""


def sightings_query(rule: AlertRule) -> str:
    """One row a key of what a rule with a key says of that which began from $1 to before $2."""
    return f"""with fired as ({bound_query(rule)}
)
{_grouped(rule, "fired")}
order by fired_at, alert_key"""


def arrivals_statement(rules: tuple[AlertRule, ...]) -> str:
    """Fill `fired_alerts` with what rules with a key say of the traces that a batch settled, in one statement.

    The views `llm_calls`, `tool_calls` and `traces` are of those traces alone, `spans` of the batch's new ones.
    """
    views = [f"{name} as ({_of_batch(name)})" for name in ("llm_calls", "tool_calls", "traces")]
    ctes = [*views, f"spans as ({_NEW_SPANS})"]
    ctes += [f"{rule.name} as ({_bound(rule.query, _ALWAYS)}\n)" for rule in rules]
    rows = "\nunion all by name\n".join(f"({_grouped(rule, rule.name)})" for rule in rules)
    return f"""insert into fired_alerts by name
with {", ".join(ctes)}
select
    *,
    fired_at as pending_at,
    'firing' as state,
    'store' as raised_by,
    coalesce((select max(received_at) from incoming_spans), timezone('UTC', now())) as noticed_at
from ({rows})"""


def follows_trace(rule: AlertRule) -> bool:
    """Whether what it says may change with its trace; of a rule that reads single spans it may not."""
    return re.search(r"\bfrom spans\b", rule.query) is None


def _grouped(rule: AlertRule, relation: str) -> str:
    first = "(occurred_at, span_id)"
    return f"""select
    {_quoted(rule.name)} as rule,
    {_quoted(rule.severity)} as severity,
    arg_min(subject, {first}) as subject,
    arg_min(message, {first}) as message,
    arg_min(value, {first}) as value,
    arg_min(threshold, {first}) as threshold,
    min(occurred_at) as fired_at,
    max(occurred_at) as last_at,
    count(*) as repeat_count,
    trace_id,
    arg_min(span_id, {first}) as span_id,
    {str(follows_trace(rule)).lower()} as follows_trace,
    alert_key
from (
    select
        *,
        {_message(rule)} as message,
        {_quoted(rule.name + "/")} || {KEYS[rule.key or "span"]} as alert_key
    from {relation}
) as keyed
where alert_key is not null and occurred_at is not null
group by trace_id, alert_key"""


def _of_batch(view: str) -> str:
    """The SELECT of a view over what a batch settled in place of what is stored."""
    _, _, query = catalog.sql("views", view).partition(" as\n")
    for stored, settled in _BATCH.items():
        query = query.replace(stored, settled)
    return query.rstrip().rstrip(";")


def _message(rule: AlertRule) -> str:
    """Parts put together, not replaced in turn: a subject may hold a placeholder itself."""
    return " || ".join(_part(part) for part in _PLACEHOLDER.split(rule.message) if part) or "''"


def _part(text: str) -> str:
    if text not in _PLACEHOLDERS:
        return _quoted(text)
    value = _PLACEHOLDERS[text]
    shown = value if value == "subject" else _number(value, percent="%" in text)
    return f"coalesce({shown}, 'unknown')"


def _number(value: str, *, percent: bool) -> str:
    if percent:
        return f"format('{{:.1f}} %', {value})"
    whole = f"format('{{:,}}', try_cast({value} as bigint))"
    return f"coalesce(case when {value} = floor({value}) then {whole} end, format('{{:,.2f}}', {value}))"


def _bound(query: str, bounds: dict[str, str]) -> str:
    return _BOUND.sub(lambda found: bounds[found[1]], query)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
