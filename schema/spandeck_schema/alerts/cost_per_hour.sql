-- grain: one service whose calls cost more than $10 within an hour
-- name: cost_per_hour
-- severity: warning
-- window: 1h
-- interval: 1m
-- for: 0s
-- cool-down: 30m
-- minimum volume: 1
-- no data: resolve
-- message: {subject} spent ${value} within an hour, above the budget of ${threshold}
select
    coalesce(service, 'an unnamed service') as subject,
    sum(cost_usd) as value,
    10.0 as threshold,
    cast(null as varchar) as trace_id,
    cast(null as varchar) as span_id,
    count(*) as volume
from llm_calls
where
    cost_usd is not null
    and started_at >= cast($since as timestamp) - interval 6 hours
    and started_at < $until
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) >= $since
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) < $until
group by service
