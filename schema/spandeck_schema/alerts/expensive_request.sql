-- grain: one trace that cost more than $1, once, from the call on that passed it, also while it still runs
-- name: expensive_request
-- severity: warning
-- key: trace
-- cool-down: 10m
-- message: Request {subject} cost ${value}, above ${threshold}
with dear as materialized (
    select
        trace_id,
        root_name,
        root_span_id,
        dearest_span_id,
        cost_usd
    from traces
    where
        started_at >= $since
        and started_at < $until
        and cost_usd > 1.0
),

spent as (
    select
        calls.trace_id,
        calls.started_at + to_milliseconds(cast(coalesce(calls.duration_ms, 0) as bigint)) as spent_at,
        sum(calls.cost_usd) over (partition by calls.trace_id order by spent_at, calls.span_id) as spent_usd
    from llm_calls as calls
    semi join dear using (trace_id)
    where calls.started_at >= $since and calls.cost_usd > 0
),

-- Added up in another order, a sum that is barely above may not be here: then the last call passed it.
passed as (
    select
        trace_id,
        coalesce(min(spent_at) filter (where spent_usd > 1.0), max(spent_at)) as occurred_at
    from spent
    group by trace_id
)

select
    coalesce(dear.root_name, dear.trace_id) as subject,
    dear.cost_usd as value,
    1.0 as threshold,
    passed.occurred_at,
    dear.trace_id,
    coalesce(dear.root_span_id, dear.dearest_span_id) as span_id
from dear
inner join passed using (trace_id)
