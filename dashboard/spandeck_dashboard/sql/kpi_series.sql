-- grain: a thirtieth of the period with its key figures; no call: a count is 0, a percentile unknown
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 30 as width_ms
),

calls as (
    select *
    from llm_calls
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

runs as (
    select *
    from traces
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

outcomes as (
    select
        started_at,
        status
    from calls where kind != 'agent'
    union all
    select
        started_at,
        status
    from tool_calls
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

run_buckets as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) as run_count
    from runs, bounds
    group by bucket
),

call_buckets as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        quantile_cont(duration_ms, 0.95) filter (where kind = 'llm') as llm_p95_ms,
        quantile_cont(time_to_first_token_ms, 0.95) filter (where kind = 'llm') as first_token_p95_ms,
        sum(cost_usd) as cost_usd,
        cast(sum(coalesce(input_tokens + output_tokens, input_tokens, output_tokens)) as bigint) as token_count
    from calls, bounds
    group by bucket
),

outcome_buckets as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) filter (where status = 'error') / count(*) as error_ratio
    from outcomes, bounds
    group by bucket
)

select
    buckets.bucket,
    coalesce(run_buckets.run_count, 0) as run_count,
    call_buckets.llm_p95_ms,
    call_buckets.first_token_p95_ms,
    if(call_buckets.bucket is null, 0, call_buckets.cost_usd) as cost_usd,
    outcome_buckets.error_ratio,
    if(call_buckets.bucket is null, 0, call_buckets.token_count) as token_count
from generate_series(0, 29) as buckets (bucket)
left join run_buckets on buckets.bucket = run_buckets.bucket
left join call_buckets on buckets.bucket = call_buckets.bucket
left join outcome_buckets on buckets.bucket = outcome_buckets.bucket
order by buckets.bucket
