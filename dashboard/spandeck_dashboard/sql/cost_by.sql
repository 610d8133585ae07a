-- grain: what money is split by (a model, agent, service, session or provider) in the period, dearest first
-- params: by, before, since, until, service, model, agent
with
calls as (
    select
        *,
        case cast($by as varchar)
            when 'Agent' then coalesce(agent_name, 'outside any agent')
            when 'Service' then coalesce(service, 'unnamed service')
            when 'Session' then coalesce(session_id, 'no session')
            when 'Provider' then coalesce(provider, 'unnamed provider')
            else coalesce(model, 'unnamed model')
        end as name,
        started_at >= cast($since as timestamp) as is_current,
        coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count
    from llm_calls
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

sums as (
    select
        name,
        count(*) filter (where is_current and kind != 'agent') as call_count,
        cast(sum(input_tokens) filter (where is_current) as bigint) as input_tokens,
        cast(sum(output_tokens) filter (where is_current) as bigint) as output_tokens,
        cast(sum(cache_read_tokens) filter (where is_current) as bigint) as cache_read_tokens,
        sum(cost_usd) filter (where is_current) as cost_usd,
        sum(cost_usd) filter (where not is_current) as previous_cost_usd,
        count(*) filter (
            where is_current and cost_usd is null and coalesce(input_tokens, output_tokens) is not null
        ) as unpriced_call_count
    from calls
    group by name
    having count(*) filter (where is_current) > 0
),

base as (
    select
        min(started_at) <= cast($before as timestamp)
        and count(*) filter (
            where started_at >= cast($before as timestamp) and started_at < cast($since as timestamp)
        ) >= 5 as is_comparable
    from traces
)

select
    sums.*,
    cost_usd / nullif(sum(cost_usd) over (), 0) as cost_share,
    if(base.is_comparable, cost_usd / nullif(previous_cost_usd, 0) - 1, null) as change_ratio,
    row_number() over (order by cost_usd desc nulls last, call_count desc, name asc) as rank
from sums
cross join base
order by rank
limit 100
