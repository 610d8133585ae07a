-- grain: an alert rule that fired in the period, most severe and then latest first, with its latest alert
-- params: since, until
select
    rule,
    severity,
    count(*) as alert_count,
    count(*) filter (where state in ('firing', 'no_data')) as firing_count,
    epoch(cast($until as timestamp)) - epoch(max(fired_at)) as last_age_s,
    arg_max(message, fired_at) as last_message,
    arg_max(trace_id, fired_at) as last_trace_id,
    arg_max(span_id, fired_at) as last_span_id
from alerts
where fired_at >= cast($since as timestamp) and fired_at < cast($until as timestamp)
group by rule, severity
order by
    case severity when 'critical' then 0 when 'error' then 1 when 'warning' then 2 else 3 end,
    last_age_s asc,
    rule asc
