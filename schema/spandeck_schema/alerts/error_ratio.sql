-- grain: one service of whose requests more than 5 % failed
-- name: error_ratio
-- severity: error
-- window: 15m
-- interval: 1m
-- for: 2m
-- cool-down: 10m
-- minimum volume: 20
-- no data: resolve
-- message: {value %} of the requests of {subject} failed, above {threshold %}
select
    coalesce(service, 'an unnamed service') as subject,
    count(*) filter (where status = 'error') / count(*) as value,
    0.05 as threshold,
    cast(null as varchar) as trace_id,
    cast(null as varchar) as span_id,
    count(*) as volume
from traces
where
    root_span_id is not null
    and started_at >= cast($since as timestamp) - interval 6 hours
    and started_at < $until
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) >= $since
    and started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint)) < $until
group by service
