-- grain: a thirtieth of the period and a kind of call (model or tool) with its failures
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 30 as width_ms
),

failures as (
    select
        started_at,
        'model' as kind
    from llm_calls
    where
        status = 'error' and kind != 'agent'
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
    union all
    select
        started_at,
        'tool' as kind
    from tool_calls
    where
        status = 'error'
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

counted as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        kind,
        count(*) as error_count
    from failures, bounds
    group by all
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    cast(coalesce(sum(error_count) filter (where kind = 'model'), 0) as bigint) as model_error_count,
    cast(coalesce(sum(error_count) filter (where kind = 'tool'), 0) as bigint) as tool_error_count
from generate_series(0, 29) as buckets (bucket)
cross join bounds
left join counted on buckets.bucket = counted.bucket
group by all
order by middle_ms
