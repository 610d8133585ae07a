-- grain: a tier of agents' memory
create or replace view main.latency_by_memory_tier as
select
    tier,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    quantile_cont(duration_ms, 0.50) as p50_ms,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(duration_ms, 0.99) as p99_ms
from main.memory_operations
group by all;
