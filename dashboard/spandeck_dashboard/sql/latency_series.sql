-- grain: a sixtieth of the period with the latency of its model calls; no call: unknown
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 60 as width_ms
),

calls as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        duration_ms
    from llm_calls, bounds
    where
        kind = 'llm'
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

latencies as (
    select
        bucket,
        count(*) as call_count,
        quantile_cont(duration_ms, 0.50) as p50_ms,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        quantile_cont(duration_ms, 0.99) as p99_ms
    from calls
    group by bucket
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    coalesce(latencies.call_count, 0) as call_count,
    latencies.p50_ms,
    latencies.p95_ms,
    latencies.p99_ms
from generate_series(0, 59) as buckets (bucket)
cross join bounds
left join latencies on buckets.bucket = latencies.bucket
order by middle_ms
