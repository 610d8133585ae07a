-- grain: a thirtieth of the period and one of its five dearest models, or the rest as "other"; NULL without a cost
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 30 as width_ms
),

calls as (
    select
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        model,
        cost_usd
    from llm_calls, bounds
    where
        cost_usd is not null
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

ranked as (
    select
        model,
        row_number() over (order by sum(cost_usd) desc, count(*) desc, model asc) as rank
    from calls
    group by model
),

layers as (
    select distinct
        least(rank, 6) as rank,
        if(rank > 5, 'other', coalesce(model, 'unnamed model')) as model
    from ranked
),

sums as (
    select
        calls.bucket,
        least(ranked.rank, 6) as rank,
        sum(calls.cost_usd) as cost_usd
    from calls
    inner join ranked on calls.model is not distinct from ranked.model
    group by all
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    layers.rank,
    layers.model,
    round(sums.cost_usd, 6) as cost_usd
from layers
cross join generate_series(0, 29) as buckets (bucket)
cross join bounds
left join sums on layers.rank = sums.rank and buckets.bucket = sums.bucket
order by layers.rank, middle_ms
