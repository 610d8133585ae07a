-- grain: an operation of the period (service, kind and name), slowest first; beyond two days within 1 %
-- params: since, until, service
select
    service,
    kind,
    name,
    call_count,
    error_count / call_count as error_ratio,
    p50_ms,
    p95_ms,
    p99_ms
from latency_by_operation_between($since, $until)
where service is not distinct from coalesce($service, service)
order by p95_ms desc, call_count desc, name asc
limit 50
