-- grain: one tool of whose calls more than 20 % failed
-- name: tool_failure_ratio
-- severity: error
-- window: 15m
-- interval: 1m
-- for: 2m
-- cool-down: 10m
-- minimum volume: 10
-- no data: resolve
-- message: {value %} of the calls of {subject} failed, above {threshold %}
select
    coalesce(tool_name, 'an unnamed tool') as subject,
    count(*) filter (where status = 'error') / count(*) as value,
    0.2 as threshold,
    cast(null as varchar) as trace_id,
    cast(null as varchar) as span_id,
    count(*) as volume
from tool_calls
where
    started_at >= cast($since as timestamp) - interval 6 hours
    and started_at < $until
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) >= $since
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) < $until
group by tool_name
