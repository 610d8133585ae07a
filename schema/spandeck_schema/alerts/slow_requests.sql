-- grain: one service whose requests took longer at the 95th percentile than the objective of 5 s
-- name: slow_requests
-- severity: warning
-- window: 15m
-- interval: 1m
-- for: 3m
-- cool-down: 10m
-- minimum volume: 20
-- no data: resolve
-- message: 95th percentile of request duration of {subject} is {value} ms, above {threshold} ms
select
    coalesce(service, 'an unnamed service') as subject,
    quantile_cont(duration_ms, 0.95) as value,
    5000.0 as threshold,
    cast(null as varchar) as trace_id,
    cast(null as varchar) as span_id,
    count(*) as volume
from traces
where
    root_span_id is not null
    and duration_ms is not null
    -- A request counts when it ends, and is never changed by what ends later.
    and started_at >= cast($since as timestamp) - interval 6 hours
    and started_at < $until
    and started_at + to_microseconds(cast(duration_ms * 1000 as bigint)) >= $since
    and started_at + to_microseconds(cast(duration_ms * 1000 as bigint)) < $until
group by service
