-- grain: one alert that fired in the period, or is pending since then, latest first
-- params: since, until, severity, state
select
    rule,
    severity,
    subject,
    message,
    value,
    threshold,
    fired_at,
    alert_id,
    state,
    repeat_count,
    pending_at,
    resolved_at,
    acknowledged_at,
    snoozed_until,
    trace_id,
    span_id,
    epoch(cast($until as timestamp)) - epoch(coalesce(fired_at, pending_at)) as age_s,
    count(*) over () as matching_count
from alerts
where
    coalesce(fired_at, pending_at) >= cast($since as timestamp)
    and coalesce(fired_at, pending_at) < cast($until as timestamp)
    and severity is not distinct from coalesce($severity, severity)
    and state is not distinct from coalesce($state, state)
order by coalesce(fired_at, pending_at) desc, rule asc, alert_id asc
limit 300
