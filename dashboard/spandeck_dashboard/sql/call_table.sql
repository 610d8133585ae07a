-- grain: a model, agent, service or provider of the period by its model calls, dearest first, beside the period before
-- A period before with fewer than five runs, or not recorded from its beginning, is no base for a change.
-- params: by, before, since, until, service, model, agent
with
calls as (
    select
        *,
        case cast($by as varchar)
            when 'Agent' then coalesce(agent_name, 'outside any agent')
            when 'Service' then coalesce(service, 'unnamed service')
            when 'Provider' then coalesce(provider, 'unnamed provider')
            else coalesce(model, 'unnamed model')
        end as name,
        coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count,
        started_at >= cast($since as timestamp) as is_current
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
        count(*) filter (where is_current and kind != 'agent' and status = 'error') as error_count,
        quantile_cont(duration_ms, 0.50) filter (where is_current and kind = 'llm') as p50_ms,
        quantile_cont(duration_ms, 0.95) filter (where is_current and kind = 'llm') as p95_ms,
        quantile_cont(duration_ms, 0.99) filter (where is_current and kind = 'llm') as p99_ms,
        quantile_cont(duration_ms, 0.95) filter (where not is_current and kind = 'llm') as previous_p95_ms,
        quantile_cont(time_to_first_token_ms, 0.95) filter (where is_current and kind = 'llm')
            as first_token_p95_ms,
        cast(sum(token_count) filter (where is_current) as bigint) as token_count,
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
    error_count / nullif(call_count, 0) as error_ratio,
    cost_usd / nullif(sum(cost_usd) over (), 0) as cost_share,
    p95_ms / nullif(max(p95_ms) over (), 0) as p95_share,
    if(base.is_comparable, p95_ms / nullif(previous_p95_ms, 0) - 1, null) as p95_change_ratio,
    if(base.is_comparable, cost_usd / nullif(previous_cost_usd, 0) - 1, null) as cost_change_ratio,
    row_number() over (order by cost_usd desc nulls last, call_count desc, name asc) as rank
from sums
cross join base
order by rank
limit 100
