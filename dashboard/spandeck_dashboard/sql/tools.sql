-- grain: a tool of the period, worst first: by share of failed calls, then by failed calls, then by p95
-- params: since, until, service, model, agent
with
bounds as (
    select
        epoch_ms(cast($since as timestamp)) as since_ms,
        (epoch_ms(cast($until as timestamp)) - epoch_ms(cast($since as timestamp))) / 12 as width_ms
),

calls as (
    select *
    from tool_calls
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

failures as (
    select
        tool_name,
        cast(floor((epoch_ms(started_at) - since_ms) / width_ms) as bigint) as bucket,
        count(*) as error_count
    from calls, bounds
    where status = 'error'
    group by all
),

counted as (
    select
        tool_name,
        count(*) as call_count,
        count(*) filter (where status = 'error') as error_count,
        quantile_cont(duration_ms, 0.95) as p95_ms
    from calls
    group by tool_name
),

trends as (
    select
        names.tool_name,
        list(coalesce(failures.error_count, 0) order by buckets.bucket) as error_trend
    from (select known.tool_name from counted as known) as names
    cross join generate_series(0, 11) as buckets (bucket)
    left join failures on names.tool_name = failures.tool_name and buckets.bucket = failures.bucket
    group by names.tool_name
),

latest as (
    select
        tool_name,
        mode(error_type) as top_error_type,
        mode(error_message) as top_error_message,
        arg_max(trace_id, started_at) as last_failed_trace_id,
        arg_max(span_id, started_at) as last_failed_span_id
    from calls
    where status = 'error'
    group by tool_name
),

tools as (
    select
        counted.tool_name,
        counted.call_count,
        counted.error_count,
        counted.error_count / counted.call_count as error_ratio,
        counted.p95_ms,
        latest.* exclude (tool_name)
    from counted
    left join latest on counted.tool_name is not distinct from latest.tool_name
)

select
    tools.*,
    tools.error_ratio / nullif(max(tools.error_ratio) over (), 0) as share_of_worst,
    trends.error_trend
from tools
inner join trends on tools.tool_name is not distinct from trends.tool_name
order by error_ratio desc, error_count desc, p95_ms desc, tools.tool_name asc
limit 50
