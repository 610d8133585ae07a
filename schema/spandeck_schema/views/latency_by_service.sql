-- grain: a service, by its entry spans (roots, servers, consumers), whatever they are about
create or replace view main.latency_by_service as
select
    service,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    quantile_cont(duration_ms, 0.50) as p50_ms,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(duration_ms, 0.99) as p99_ms
from store.spans
where kind is distinct from 'details' and (parent_span_id is null or otel_kind in ('SERVER', 'CONSUMER'))
group by all;
