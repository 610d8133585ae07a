-- grain: one key figure of the period, beside the same figure of the period before; no call costs 0
-- A period before with fewer than five runs, or not recorded from its beginning, is no base for a change.
-- params: before, since, until, service, model, agent
with
calls as (
    select
        *,
        started_at >= cast($since as timestamp) as is_current
    from llm_calls
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

tools as (
    select
        *,
        started_at >= cast($since as timestamp) as is_current
    from tool_calls
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

runs as (
    select
        *,
        started_at >= cast($since as timestamp) as is_current
    from traces
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

outcomes as (
    select
        is_current,
        1 as call_count,
        if(status = 'error', 1, 0) as error_count
    from calls where kind != 'agent'
    union all
    select
        is_current,
        1 as call_count,
        if(status = 'error', 1, 0) as error_count
    from tools
),

run_figures as (
    select
        is_current,
        count(*) as run_count,
        count(*) filter (where status = 'error') as failed_run_count
    from runs
    group by is_current
),

outcome_figures as (
    select
        is_current,
        sum(error_count) as error_count,
        sum(error_count) / sum(call_count) as error_ratio
    from outcomes
    group by is_current
    having sum(call_count) > 0
),

call_figures as (
    select
        is_current,
        quantile_cont(duration_ms, 0.95) filter (where kind = 'llm') as llm_p95_ms,
        quantile_cont(time_to_first_token_ms, 0.95) filter (where kind = 'llm') as first_token_p95_ms,
        sum(cost_usd) as cost_usd,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count,
        sum(coalesce(input_tokens + output_tokens, input_tokens, output_tokens)) as token_count,
        sum(cache_read_tokens) as cached_token_count
    from calls
    group by is_current
),

figures as (
    select
        periods.is_current,
        cast(coalesce(run_figures.run_count, 0) as double) as run_count,
        cast(run_figures.failed_run_count as double) as failed_run_count,
        cast(outcome_figures.error_count as double) as error_count,
        outcome_figures.error_ratio,
        call_figures.llm_p95_ms,
        call_figures.first_token_p95_ms,
        if(call_figures.is_current is null, 0, call_figures.cost_usd) as cost_usd,
        cast(call_figures.unpriced_call_count as double) as unpriced_call_count,
        cast(if(call_figures.is_current is null, 0, call_figures.token_count) as double) as token_count,
        cast(call_figures.cached_token_count as double) as cached_token_count
    from (values (true), (false)) as periods (is_current)
    left join run_figures on periods.is_current = run_figures.is_current
    left join outcome_figures on periods.is_current = outcome_figures.is_current
    left join call_figures on periods.is_current = call_figures.is_current
),

named as (
    unpivot figures on columns(* exclude (is_current)) into name figure value value
),

beside as (
    select
        figure,
        max(value) filter (where is_current) as value,
        max(value) filter (where not is_current) as previous_value
    from named
    group by figure
),

base as (
    select
        (select min(started_at) from traces) <= cast($before as timestamp)
        and (select count(*) from runs where not is_current) >= 5 as is_comparable
)

select
    figure,
    value,
    previous_value,
    base.is_comparable,
    if(base.is_comparable, (value - previous_value) / nullif(previous_value, 0), null) as change_ratio
from beside
cross join base
order by figure
