-- grain: one figure of the money of the period, beside the same figure of the period before
-- A period before with fewer than five runs, or not recorded from its beginning, is no base for a change.
-- params: before, since, until, service, model, agent
with
calls as (
    select
        *,
        started_at >= cast($since as timestamp) as is_current,
        coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count
    from llm_calls
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

runs as (
    select
        started_at >= cast($since as timestamp) as is_current,
        cost_usd
    from traces
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

base as (
    select
        count(*) filter (where not is_current) >= 5
        and (select min(started_at) from traces) <= cast($before as timestamp) as is_comparable
    from runs
),

figures as (
    select
        'cost_usd' as figure,
        coalesce(sum(cost_usd) filter (where is_current), if(count(*) filter (where is_current) = 0, 0, null))
            as value,
        sum(cost_usd) filter (where not is_current) as previous_value
    from calls
    union all
    select
        'cost_per_run_usd' as figure,
        avg(cost_usd) filter (where is_current) as value,
        avg(cost_usd) filter (where not is_current) as previous_value
    from runs
    union all
    select
        'dearest_run_usd' as figure,
        max(cost_usd) filter (where is_current) as value,
        max(cost_usd) filter (where not is_current) as previous_value
    from runs
    union all
    select
        'usd_per_million_tokens' as figure,
        1e6 * sum(cost_usd) filter (where is_current)
        / nullif(sum(token_count) filter (where is_current and cost_usd is not null), 0) as value,
        1e6 * sum(cost_usd) filter (where not is_current)
        / nullif(sum(token_count) filter (where not is_current and cost_usd is not null), 0) as previous_value
    from calls
    union all
    select
        'cached_ratio' as figure,
        sum(cache_read_tokens) filter (where is_current)
        / nullif(sum(input_tokens) filter (where is_current), 0) as value,
        sum(cache_read_tokens) filter (where not is_current)
        / nullif(sum(input_tokens) filter (where not is_current), 0) as previous_value
    from calls
    union all
    select
        'unpriced_call_count' as figure,
        count(*) filter (
            where is_current and cost_usd is null and coalesce(input_tokens, output_tokens) is not null
        ) as value,
        count(*) filter (
            where not is_current and cost_usd is null and coalesce(input_tokens, output_tokens) is not null
        ) as previous_value
    from calls
)

select
    figures.figure,
    figures.value,
    figures.previous_value,
    base.is_comparable,
    if(base.is_comparable, figures.value / nullif(figures.previous_value, 0) - 1, null) as change_ratio
from figures
cross join base
