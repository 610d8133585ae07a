-- grain: one alert whose value changed with its trace
update store.alerts
set
    subject = fired_alerts.subject,
    message = fired_alerts.message,
    value = fired_alerts.value,
    threshold = fired_alerts.threshold,
    span_id = fired_alerts.span_id
from fired_alerts
where
    alerts.alert_key = fired_alerts.alert_key
    and (alerts.value is distinct from fired_alerts.value or alerts.span_id is distinct from fired_alerts.span_id)
