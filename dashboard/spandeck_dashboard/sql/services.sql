-- grain: a service of the period, by its entry spans (roots, servers, consumers); beyond two days within 1 %
-- params: since, until, service
select
    service,
    call_count,
    error_count,
    error_count / call_count as error_ratio,
    p50_ms,
    p95_ms,
    p99_ms
from latency_by_service_between($since, $until)
where service is not distinct from coalesce($service, service)
order by call_count desc, service asc
limit 50
