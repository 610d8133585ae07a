-- grain: one trace that cost more than $1, once, also while it still runs
-- severity: warning
-- key: trace
-- message: Request {subject} cost ${value}, above ${threshold}
select
    coalesce(root_name, trace_id) as subject,
    cost_usd as value,
    1.0 as threshold,
    started_at + to_milliseconds(cast(coalesce(duration_ms, 0) as bigint)) as occurred_at,
    trace_id,
    coalesce(root_span_id, dearest_span_id) as span_id
from traces
where
    started_at >= $since
    and started_at < $until
    and cost_usd > 1.0
