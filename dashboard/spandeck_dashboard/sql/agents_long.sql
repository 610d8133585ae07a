-- grain: an agent of the period, dearest first, by its counted model calls; rows of kind agent are usage, not calls
-- Beyond two days from roll-ups, percentiles within 1 %.
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 18 as width_ms
),

calls as (
    select *
    from llm_calls
    where
        cast($until as timestamp) - cast($since as timestamp) <= interval 2 day
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

groups as (
    select *
    from call_groups_between($since, $until)
    where
        cast($until as timestamp) - cast($since as timestamp) > interval 2 day
        and kind != 'tool'
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

percentiles as (
    select *
    from call_percentiles_between($since, $until, 'agent', 'llm', $service, $model, $agent)
    where cast($until as timestamp) - cast($since as timestamp) > interval 2 day
),

costs as (
    select
        agent_name,
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        sum(cost_usd) as cost_usd
    from (
        select
            agent_name,
            started_at,
            cost_usd
        from calls
        union all
        select
            agent_name,
            greatest(started_at, cast($since as timestamp)) as started_at,
            cost_usd
        from groups
    ) as told, bounds
    group by all
),

trends as (
    select
        names.agent_name,
        list(round(coalesce(costs.cost_usd, 0), 6) order by buckets.bucket) as cost_trend
    from (select distinct known.agent_name from costs as known) as names
    cross join generate_series(0, 17) as buckets (bucket)
    left join costs
        on names.agent_name is not distinct from costs.agent_name and buckets.bucket = costs.bucket
    group by names.agent_name
),

sums as (
    select
        agent_name,
        cast(coalesce(sum(call_count) filter (where kind != 'agent'), 0) as bigint) as call_count,
        sum(error_count) filter (where kind != 'agent') as error_count,
        cast(coalesce(sum(input_tokens) + sum(output_tokens), sum(input_tokens), sum(output_tokens)) as bigint)
            as token_count,
        case when sum(priced_call_count) > 0 then sum(cost_usd) end as cost_usd,
        cast(sum(unpriced_call_count) as bigint) as unpriced_call_count
    from groups
    group by agent_name
    having sum(call_count) > 0
),

agents as (
    select
        agent_name,
        count(*) filter (where kind != 'agent') as call_count,
        count(*) filter (where status = 'error' and kind != 'agent')
        / nullif(count(*) filter (where kind != 'agent'), 0) as error_ratio,
        quantile_cont(duration_ms, 0.95) filter (where kind = 'llm') as p95_ms,
        cast(sum(coalesce(input_tokens + output_tokens, input_tokens, output_tokens)) as bigint) as token_count,
        sum(cost_usd) as cost_usd,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count
    from calls
    group by agent_name
    union all by name
    select
        sums.* exclude (error_count),
        sums.error_count / nullif(sums.call_count, 0) as error_ratio,
        percentiles.p95_ms
    from sums
    left join percentiles on sums.agent_name is not distinct from percentiles.value
)

select
    agents.*,
    trends.cost_trend,
    agents.cost_usd / nullif(sum(agents.cost_usd) over (), 0) as cost_share
from agents
inner join trends on agents.agent_name is not distinct from trends.agent_name
order by agents.cost_usd desc nulls last, agents.call_count desc, agents.agent_name asc
limit 50
