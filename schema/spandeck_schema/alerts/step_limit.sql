-- grain: one trace that took more than 25 steps, once, also while it still runs
-- name: step_limit
-- severity: warning
-- key: trace
-- cool-down: 10m
-- message: Request {subject} took {value} steps, above {threshold}
select
    coalesce(root_name, trace_id) as subject,
    step_count as value,
    25.0 as threshold,
    started_at + to_milliseconds(cast(coalesce(duration_ms, 0) as bigint)) as occurred_at,
    trace_id,
    root_span_id as span_id
from traces
where
    started_at >= $since
    and started_at < $until
    and step_count > 25
