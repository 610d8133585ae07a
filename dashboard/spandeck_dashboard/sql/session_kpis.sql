-- grain: one figure of the sessions of the period, beside the same figure of the period before
-- A period before with fewer than five runs, or not recorded from its beginning, is no base for a change.
-- params: before, since, until, service, model, agent
with
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

sessions_found as (
    select
        is_current,
        session_id,
        any_value(user_id) as user_id,
        count(*) as trace_count,
        sum(cost_usd) as cost_usd,
        sum(duration_ms) as busy_ms,
        sum(greatest(error_span_count, failed_llm_call_count + failed_tool_call_count)) > 0 as has_error
    from runs
    where session_id is not null
    group by is_current, session_id
),

counted as (
    select
        is_current,
        count(*) as session_count,
        count(distinct user_id) as user_count,
        avg(trace_count) as trace_count,
        avg(cost_usd) as cost_usd,
        quantile_cont(busy_ms, 0.95) as busy_p95_ms,
        count(*) filter (where has_error) / count(*) as error_ratio
    from sessions_found
    group by is_current
),

figures as (
    select
        periods.is_current,
        cast(coalesce(counted.session_count, 0) as double) as session_count,
        cast(coalesce(counted.user_count, 0) as double) as user_count,
        counted.trace_count,
        counted.cost_usd,
        counted.busy_p95_ms,
        counted.error_ratio
    from (values (true), (false)) as periods (is_current)
    left join counted on periods.is_current = counted.is_current
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
        count(*) filter (where not is_current) >= 5
        and (select min(started_at) from traces) <= cast($before as timestamp) as is_comparable
    from runs
)

select
    figure,
    value,
    previous_value,
    base.is_comparable,
    if(base.is_comparable, value / nullif(previous_value, 0) - 1, null) as change_ratio
from beside
cross join base
order by figure
