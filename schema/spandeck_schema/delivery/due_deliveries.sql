-- grain: one message that is to be sent now, with the alert that it is about
select
    deliveries.alert_key,
    deliveries.channel,
    deliveries.attempt_count,
    left(md5(deliveries.alert_key), 12) as alert_id,
    alerts.rule,
    alerts.severity,
    alerts.message,
    alerts.fired_at,
    alerts.trace_id,
    alerts.span_id
from store.alert_deliveries as deliveries
inner join store.alerts using (alert_key)
where
    deliveries.state = 'waiting'
    and deliveries.next_attempt_at <= $now
    and alerts.fired_at is not null
order by deliveries.next_attempt_at, deliveries.alert_key
limit $most
