-- grain: a provider and model that answered calls
create or replace view main.latency_by_model as
select
    provider,
    model,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    quantile_cont(duration_ms, 0.50) as p50_ms,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(duration_ms, 0.99) as p99_ms,
    quantile_cont(time_to_first_token_ms, 0.50) as time_to_first_token_p50_ms,
    quantile_cont(time_to_first_token_ms, 0.95) as time_to_first_token_p95_ms,
    quantile_cont(time_to_first_token_ms, 0.99) as time_to_first_token_p99_ms
from main.llm_calls
where kind != 'agent'
group by all;
