-- grain: a 48th of the period and one of the five dearest models, agents, services or providers, or the rest as "other"
-- params: by, metric, since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 48 as width_ms
),

calls as (
    select
        *,
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        case cast($by as varchar)
            when 'Agent' then coalesce(agent_name, 'outside any agent')
            when 'Service' then coalesce(service, 'unnamed service')
            when 'Provider' then coalesce(provider, 'unnamed provider')
            else coalesce(model, 'unnamed model')
        end as name
    from llm_calls, bounds
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

ranked as (
    select
        name,
        row_number() over (
            order by sum(cost_usd) desc nulls last, count(*) filter (where kind != 'agent') desc, name asc
        ) as rank
    from calls
    group by name
),

layers as (
    select distinct
        least(rank, 6) as rank,
        if(rank > 5, 'other', name) as name
    from ranked
),

figures as (
    select
        calls.bucket,
        least(ranked.rank, 6) as rank,
        case cast($metric as varchar)
            when 'p50' then quantile_cont(calls.duration_ms, 0.50) filter (where calls.kind = 'llm')
            when 'First token p95'
                then quantile_cont(calls.time_to_first_token_ms, 0.95) filter (where calls.kind = 'llm')
            when 'Calls' then count(*) filter (where calls.kind != 'agent')
            when 'Failed'
                then
                    count(*) filter (where calls.status = 'error' and calls.kind != 'agent')
                    / nullif(count(*) filter (where calls.kind != 'agent'), 0)
            when 'Cost' then sum(calls.cost_usd)
            else quantile_cont(calls.duration_ms, 0.95) filter (where calls.kind = 'llm')
        end as value
    from calls
    inner join ranked on calls.name = ranked.name
    group by calls.bucket, least(ranked.rank, 6)
)

select
    cast(since_ms + (buckets.bucket + 0.5) * width_ms as bigint) as middle_ms,
    layers.rank,
    layers.name,
    figures.value
from layers
cross join generate_series(0, 47) as buckets (bucket)
cross join bounds
left join figures on layers.rank = figures.rank and buckets.bucket = figures.bucket
order by layers.rank, middle_ms
