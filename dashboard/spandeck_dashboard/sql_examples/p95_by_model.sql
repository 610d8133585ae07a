-- question: How slow is each model, in the last hour?
select
    model,
    count(*) as call_count,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    quantile_cont(time_to_first_token_ms, 0.95) as first_token_p95_ms
from llm_calls
where kind = 'llm' and started_at >= now() at time zone 'UTC' - interval 1 hour
group by model
order by p95_ms desc nulls last
