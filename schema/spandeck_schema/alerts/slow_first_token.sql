-- grain: one model call whose first token took longer than 2,000 ms
-- name: slow_first_token
-- severity: warning
-- key: span
-- cool-down: 10m
-- message: Time to first token of {subject} was {value} ms, above {threshold} ms
select
    coalesce(model, 'an unnamed model') as subject,
    time_to_first_token_ms as value,
    2000.0 as threshold,
    started_at + to_milliseconds(cast(time_to_first_token_ms as bigint)) as occurred_at,
    trace_id,
    span_id
from llm_calls
where
    started_at >= $since
    and started_at < $until
    and time_to_first_token_ms > 2000.0
