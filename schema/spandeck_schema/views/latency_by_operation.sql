-- grain: an operation of a service: spans of one kind and name, whatever they are about
create or replace view main.latency_by_operation as
select
    service,
    kind,
    name,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    quantile_cont(duration_ms, 0.50) as p50_ms,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(duration_ms, 0.99) as p99_ms
from store.spans
where kind is distinct from 'details'
group by all;
