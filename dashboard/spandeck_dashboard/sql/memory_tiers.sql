-- grain: a memory tier and what was done with it in the period, by service, slowest first
-- params: since, until, service
select
    service,
    tier,
    operation,
    count(*) as operation_count,
    count(*) filter (where status = 'error') / count(*) as error_ratio,
    quantile_cont(duration_ms, 0.50) as p50_ms,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(duration_ms, 0.99) as p99_ms,
    arg_max(trace_id, duration_ms) as slowest_trace_id,
    arg_max(span_id, duration_ms) as slowest_span_id
from memory_operations
where
    started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
    and service is not distinct from coalesce($service, service)
group by service, tier, operation
order by p95_ms desc nulls last, operation_count desc, service asc
limit 50
