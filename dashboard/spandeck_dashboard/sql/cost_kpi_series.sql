-- grain: a thirtieth of the period with its money; no call: 0 dollars, a ratio unknown
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 30 as width_ms
),

calls as (
    select
        *,
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count
    from llm_calls, bounds
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

call_buckets as (
    select
        bucket,
        sum(cost_usd) as cost_usd,
        1e6 * sum(cost_usd) / nullif(sum(token_count) filter (where cost_usd is not null), 0)
            as usd_per_million_tokens,
        sum(cache_read_tokens) / nullif(sum(input_tokens), 0) as cached_ratio,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count
    from calls
    group by bucket
),

run_buckets as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        avg(cost_usd) as cost_per_run_usd,
        max(cost_usd) as dearest_run_usd
    from traces, bounds
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
    group by bucket
)

select
    buckets.bucket,
    if(call_buckets.bucket is null, 0, call_buckets.cost_usd) as cost_usd,
    run_buckets.cost_per_run_usd,
    run_buckets.dearest_run_usd,
    call_buckets.usd_per_million_tokens,
    call_buckets.cached_ratio,
    coalesce(call_buckets.unpriced_call_count, 0) as unpriced_call_count
from generate_series(0, 29) as buckets (bucket)
left join call_buckets on buckets.bucket = call_buckets.bucket
left join run_buckets on buckets.bucket = run_buckets.bucket
order by buckets.bucket
