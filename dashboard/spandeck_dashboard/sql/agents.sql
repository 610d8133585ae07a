-- grain: an agent of the period, dearest first, by its counted model calls; rows of kind agent are usage, not calls
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
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

costs as (
    select
        agent_name,
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        sum(cost_usd) as cost_usd
    from calls, bounds
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
)

select
    agents.*,
    trends.cost_trend,
    agents.cost_usd / nullif(sum(agents.cost_usd) over (), 0) as cost_share
from agents
inner join trends on agents.agent_name is not distinct from trends.agent_name
order by agents.cost_usd desc nulls last, agents.call_count desc, agents.agent_name asc
limit 50
