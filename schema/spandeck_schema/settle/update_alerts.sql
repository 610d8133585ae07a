-- grain: one alert whose facts changed with its trace; the oldest known_since prunes the scan
update store.alerts
set
    subject = fired_alerts.subject,
    message = fired_alerts.message,
    value = fired_alerts.value,
    threshold = fired_alerts.threshold,
    fired_at = fired_alerts.fired_at,
    pending_at = fired_alerts.pending_at,
    last_at = fired_alerts.last_at,
    repeat_count = fired_alerts.repeat_count,
    span_id = fired_alerts.span_id,
    raised_by = case when alerts.raised_by = fired_alerts.raised_by then alerts.raised_by else 'both' end
from fired_alerts
where
    alerts.alert_key = fired_alerts.alert_key
    and alerts.noticed_at >= (select min(known_since) from touched_traces)
    -- What only the client told does not undo what the store knows.
    and (fired_alerts.raised_by != 'client' or alerts.raised_by = 'client')
    and (
        alerts.value is distinct from fired_alerts.value
        or alerts.span_id is distinct from fired_alerts.span_id
        or alerts.fired_at is distinct from fired_alerts.fired_at
        or alerts.last_at is distinct from fired_alerts.last_at
        or alerts.repeat_count is distinct from fired_alerts.repeat_count
        or alerts.subject is distinct from fired_alerts.subject
        or alerts.raised_by not in ('both', fired_alerts.raised_by)
    )
