-- grain: an alert rule in force, broken, or gone since it fired in the period, with its latest alert; broken ones first
-- params: since, until
with
fired as (
    select
        rule,
        arg_max(severity, fired_at) as severity,
        count(*) as alert_count,
        count(*) filter (where state in ('firing', 'no_data')) as firing_count,
        epoch(cast($until as timestamp)) - epoch(max(fired_at)) as last_age_s,
        arg_max(message, fired_at) as last_message,
        arg_max(trace_id, fired_at) as last_trace_id,
        arg_max(span_id, fired_at) as last_span_id
    from alerts
    where fired_at >= cast($since as timestamp) and fired_at < cast($until as timestamp)
    group by rule
),

joined as (
    select
        coalesce(alert_rules.rule, fired.rule) as rule,
        coalesce(alert_rules.severity, fired.severity) as severity,
        coalesce(alert_rules.state, 'removed') as state,
        alert_rules.error,
        alert_rules.error_line,
        coalesce(fired.alert_count, 0) as alert_count,
        coalesce(fired.firing_count, 0) as firing_count,
        fired.last_age_s,
        fired.last_message,
        fired.last_trace_id,
        fired.last_span_id
    from alert_rules
    full join fired on alert_rules.rule = fired.rule
)

select *
from joined
order by
    state = 'broken' desc,
    last_age_s is null,
    case severity when 'critical' then 0 when 'error' then 1 when 'warning' then 2 else 3 end,
    last_age_s asc nulls last,
    rule asc
