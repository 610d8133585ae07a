-- grain: one model with at least 10 calls within an hour that have usage but no cost
-- name: unpriced_traffic
-- severity: info
-- window: 1h
-- interval: 5m
-- for: 0s
-- cool-down: 6h
-- minimum volume: 10
-- no data: resolve
-- message: {value} calls of {subject} within an hour have no price
select
    coalesce(provider || '/', '') || coalesce(model, 'an unnamed model') as subject,
    count(*) filter (where cost_usd is null) as value,
    9.0 as threshold,
    cast(null as varchar) as trace_id,
    cast(null as varchar) as span_id,
    count(*) as volume
from llm_calls
where
    coalesce(input_tokens, output_tokens) is not null
    and started_at >= cast($since as timestamp) - interval 6 hours
    and started_at < $until
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) >= $since
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) < $until
group by provider, model
