-- grain: one service whose spans came more than 60 s after their end; what came after ten minutes is history sent again
-- name: ingest_lag
-- severity: warning
-- window: 5m
-- interval: 1m
-- for: 2m
-- cool-down: 10m
-- minimum volume: 10
-- no data: resolve
-- message: Spans of {subject} arrive {value} s after their end (median), above {threshold} s
select
    coalesce(service, 'an unnamed service') as subject,
    median(epoch_us(received_at) - epoch_us(ended_at)) / 1e6 as value,
    60.0 as threshold,
    cast(null as varchar) as trace_id,
    cast(null as varchar) as span_id,
    count(*) as volume
from span_times
where
    received_at >= $since
    and received_at < $until
    and ended_at <= received_at
    and ended_at > received_at - interval 10 minute
group by service
