-- grain: one alert of the feed
create or replace view main.alerts as
with acknowledged as (
    select
        alert_key,
        min(marked_at) as acknowledged_at
    from store.alert_marks
    where kind = 'acknowledged'
    group by alert_key
),

snoozed as (
    select
        rule,
        subject,
        arg_max(until_at, marked_at) as snoozed_until
    from store.alert_marks
    where kind = 'snoozed'
    group by rule, subject
    having snoozed_until > cast(now() as timestamp)
)

select
    alerts.rule,
    alerts.severity,
    alerts.subject,
    alerts.message,
    alerts.value,
    alerts.threshold,
    alerts.fired_at,
    alerts.resolved_at,
    case
        when alerts.state in ('pending', 'resolved') then alerts.state
        when snoozed.snoozed_until is not null then 'snoozed'
        when acknowledged.acknowledged_at is not null then 'acknowledged'
        else alerts.state
    end as state,
    alerts.trace_id,
    alerts.span_id,
    left(md5(alerts.alert_key), 12) as alert_id,
    alerts.repeat_count,
    alerts.last_at,
    alerts.pending_at,
    acknowledged.acknowledged_at,
    snoozed.snoozed_until,
    alerts.raised_by
from store.alerts
left join acknowledged using (alert_key)
left join snoozed using (rule, subject);
