-- grain: a service of the period, by its entry spans (roots, servers, consumers): latency_by_service in a period
-- params: since, until, service
select
    service,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    count(*) filter (where status = 'error') / count(*) as error_ratio,
    quantile_cont(duration_ms, 0.50) as p50_ms,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(duration_ms, 0.99) as p99_ms
from spans
where
    started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
    and (parent_span_id is null or otel_kind in ('SERVER', 'CONSUMER'))
    and service is not distinct from coalesce($service, service)
group by service
order by call_count desc, service asc
limit 50
