-- grain: one message about an alert to a channel
create or replace view main.alert_deliveries as
select
    left(md5(alert_key), 12) as alert_id,
    channel,
    rule,
    subject,
    state,
    attempt_count,
    case when state = 'waiting' then next_attempt_at end as next_attempt_at,
    error,
    updated_at
from store.alert_deliveries;
