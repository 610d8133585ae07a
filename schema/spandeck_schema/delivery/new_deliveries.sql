-- grain: one alert that fired lately and that no message was thought of yet
with latest as (
    select
        rule,
        subject,
        max(noticed_at) as noticed_at
    from store.alert_deliveries
    where state in ('waiting', 'sending', 'sent', 'dead')
    group by rule, subject
),

snoozed as (
    select
        rule,
        subject
    from store.alert_marks
    where kind = 'snoozed'
    group by rule, subject
    having arg_max(until_at, marked_at) > cast(now() as timestamp)
),

fresh as (
    select
        alerts.rule,
        alerts.severity,
        alerts.subject,
        alerts.alert_key,
        alerts.fired_at,
        row_number() over (partition by alerts.rule, alerts.subject order by alerts.fired_at, alerts.alert_key) as place
    from store.alerts
    anti join store.alert_deliveries using (alert_key)
    where
        alerts.fired_at >= $since
        and alerts.noticed_at >= $since
        and alerts.state in ('firing', 'no_data', 'resolved')
)

select
    fresh.rule,
    fresh.severity,
    fresh.subject,
    fresh.alert_key,
    snoozed.rule is not null as is_snoozed,
    -- Of several that came at once the first is told.
    coalesce(rules.cool_down_s, 0) > 0 and (
        fresh.place > 1
        or coalesce(
            latest.noticed_at + to_milliseconds(cast(rules.cool_down_s * 1000 as bigint)) > fresh.fired_at, false
        )
    ) as is_cooling
from fresh
left join latest using (rule, subject)
left join snoozed using (rule, subject)
left join store.alert_rules as rules using (rule)
order by fresh.fired_at, fresh.alert_key
limit 1000
