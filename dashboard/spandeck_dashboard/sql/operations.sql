-- grain: an operation of the period (service, kind and name), slowest first: latency_by_operation in a period
-- params: since, until, service
select
    service,
    kind,
    name,
    count(*) as call_count,
    count(*) filter (where status = 'error') / count(*) as error_ratio,
    quantile_cont(duration_ms, 0.50) as p50_ms,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(duration_ms, 0.99) as p99_ms
from spans
where
    started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
    and service is not distinct from coalesce($service, service)
group by all
order by p95_ms desc, call_count desc, name asc
limit 50
