-- grain: one signal of which the receiver refused something
-- name: refused_spans
-- severity: error
-- window: 5m
-- interval: 1m
-- for: 0s
-- cool-down: 10m
-- minimum volume: 0
-- no data: resolve
-- message: {value} items of {subject}
select
    signal || ' were refused: ' || coalesce(reason, 'no reason told') as subject,
    sum(refused_count) as value,
    0.0 as threshold,
    cast(null as varchar) as trace_id,
    cast(null as varchar) as span_id
from ingest_by_minute
where
    minute_at >= $since
    and minute_at < $until
    and refused_count > 0
group by signal, reason
