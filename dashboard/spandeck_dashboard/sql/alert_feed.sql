-- grain: one alert that fired in the period, latest first
-- params: since, until, severity, state
select
    rule,
    severity,
    subject,
    message,
    value,
    threshold,
    fired_at,
    state,
    trace_id,
    span_id,
    epoch(cast($until as timestamp)) - epoch(fired_at) as age_s,
    count(*) over () as matching_count
from alerts
where
    fired_at >= cast($since as timestamp) and fired_at < cast($until as timestamp)
    and severity is not distinct from coalesce($severity, severity)
    and state is not distinct from coalesce($state, state)
order by fired_at desc, rule asc
limit 300
