-- grain: a model of the period, dearest first; `rank` numbers the colours, a model without a price has no cost
-- Beyond two days from roll-ups, percentiles within 1 %.
-- params: since, until, service, model, agent
with
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
    from call_percentiles_between($since, $until, 'model', 'llm', $service, $model, $agent)
    where cast($until as timestamp) - cast($since as timestamp) > interval 2 day
),

sums as (
    select
        model,
        cast(coalesce(sum(call_count) filter (where kind != 'agent'), 0) as bigint) as call_count,
        cast(coalesce(sum(error_count) filter (where kind != 'agent'), 0) as bigint) as error_count,
        cast(coalesce(sum(input_tokens) + sum(output_tokens), sum(input_tokens), sum(output_tokens)) as bigint)
            as token_count,
        case when sum(priced_call_count) > 0 then sum(cost_usd) end as cost_usd,
        cast(sum(unpriced_call_count) as bigint) as unpriced_call_count
    from groups
    group by model
    having sum(call_count) > 0
),

models as (
    select
        model,
        count(*) filter (where kind != 'agent') as call_count,
        count(*) filter (where status = 'error' and kind != 'agent') as error_count,
        quantile_cont(duration_ms, 0.50) filter (where kind = 'llm') as p50_ms,
        quantile_cont(duration_ms, 0.95) filter (where kind = 'llm') as p95_ms,
        quantile_cont(time_to_first_token_ms, 0.95) filter (where kind = 'llm') as first_token_p95_ms,
        cast(sum(coalesce(input_tokens + output_tokens, input_tokens, output_tokens)) as bigint) as token_count,
        sum(cost_usd) as cost_usd,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count
    from calls
    group by model
    union all by name
    select
        sums.*,
        percentiles.p50_ms,
        percentiles.p95_ms,
        percentiles.time_to_first_token_p95_ms as first_token_p95_ms
    from sums
    left join percentiles on sums.model is not distinct from percentiles.value
)

select
    *,
    row_number() over (order by cost_usd desc nulls last, call_count desc, model asc) as rank,
    cost_usd / nullif(sum(cost_usd) over (), 0) as cost_share
from models
order by rank
limit 50
