-- grain: one figure of tool calls of the period (of one tool or of all), beside the same figure of the period before
-- A period before with fewer than five runs, or not recorded from its beginning, is no base for a change.
-- Beyond two days from roll-ups, percentiles within 1 %, unless only calls of a tool or of a model's traces count.
-- params: tool, before, since, until, service, model, agent
with
given as (
    select
        cast($until as timestamp) - cast($since as timestamp) > interval 2 day
        and $model is null
        and $tool is null as is_from_groups
),

calls as (
    select
        started_at >= cast($since as timestamp) as is_current,
        status,
        duration_ms,
        agent_name
    from tool_calls
    where
        not (select is_from_groups from given)
        and started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and tool_name is not distinct from coalesce($tool, tool_name)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

groups as (
    select
        started_at >= cast($since as timestamp) as is_current,
        call_count,
        error_count
    from (
        from call_groups_between($before, $since)
        union all
        from call_groups_between($since, $until)
    ) as both_periods
    where
        (select is_from_groups from given)
        and kind = 'tool'
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

percentiles as (
    select
        true as is_current,
        p50_ms,
        p95_ms,
        p99_ms
    from call_percentiles_between($since, $until, 'all', 'tool', $service, null, $agent)
    where (select is_from_groups from given)
    union all
    select
        false as is_current,
        p50_ms,
        p95_ms,
        p99_ms
    from call_percentiles_between($before, $since, 'all', 'tool', $service, null, $agent)
    where (select is_from_groups from given)
),

counted as (
    select
        is_current,
        count(*) as call_count,
        count(*) filter (where status = 'error') as error_count,
        quantile_cont(duration_ms, 0.50) as p50_ms,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        quantile_cont(duration_ms, 0.99) as p99_ms
    from calls
    group by is_current
    union all
    select
        sums.*,
        percentiles.p50_ms,
        percentiles.p95_ms,
        percentiles.p99_ms
    from (
        select
            is_current,
            sum(call_count) as call_count,
            sum(error_count) as error_count
        from groups
        group by is_current
        having sum(call_count) > 0
    ) as sums
    left join percentiles on sums.is_current = percentiles.is_current
),

figures as (
    select
        periods.is_current,
        cast(coalesce(counted.call_count, 0) as double) as call_count,
        cast(coalesce(counted.error_count, 0) as double) as error_count,
        cast(counted.error_count / counted.call_count as double) as error_ratio,
        counted.p50_ms,
        counted.p95_ms,
        counted.p99_ms
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
        min(started_at) <= cast($before as timestamp)
        and count(*) filter (
            where started_at >= cast($before as timestamp) and started_at < cast($since as timestamp)
        ) >= 5 as is_comparable
    from traces
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
