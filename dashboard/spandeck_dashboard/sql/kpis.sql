-- grain: one key figure of the period, beside the same figure of the period before it
-- params: before, since, until, service, model, agent
with
calls as (
    select *, started_at >= cast($since as timestamp) as is_current
    from llm_calls
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and (cast($service as varchar) is null or service = cast($service as varchar))
        and (cast($model as varchar) is null or model = cast($model as varchar))
        and (cast($agent as varchar) is null or agent_name = cast($agent as varchar))
),
tools as (
    select *, started_at >= cast($since as timestamp) as is_current
    from tool_calls
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and (cast($service as varchar) is null or service = cast($service as varchar))
        and (cast($agent as varchar) is null or agent_name = cast($agent as varchar))
        and cast($model as varchar) is null
),
runs as (
    select *, started_at >= cast($since as timestamp) as is_current
    from traces
    where
        started_at >= cast($before as timestamp) and started_at < cast($until as timestamp)
        and (cast($service as varchar) is null or service = cast($service as varchar))
        and (cast($agent as varchar) is null or list_contains(agent_names, cast($agent as varchar)))
        and (cast($model as varchar) is null or trace_id in (select trace_id from calls))
),
outcomes as (
    select is_current, status from calls where kind != 'agent'
    union all
    select is_current, status from tools
),
figures as (
    select is_current, 'run_count' as figure, cast(count(*) as double) as value from runs group by all
    union all
    select is_current, 'failed_run_count', count(*) filter (where status = 'error') from runs group by all
    union all
    select is_current, 'llm_p95_ms', quantile_cont(duration_ms, 0.95) filter (where kind = 'llm')
    from calls group by all
    union all
    select
        is_current, 'first_token_p95_ms', quantile_cont(time_to_first_token_ms, 0.95) filter (where kind = 'llm')
    from calls group by all
    union all
    select is_current, 'cost_usd', sum(cost_usd) from calls group by all
    union all
    select
        is_current,
        'unpriced_call_count',
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
    from calls group by all
    union all
    select is_current, 'error_ratio', count(*) filter (where status = 'error') / count(*)
    from outcomes group by all
    union all
    select is_current, 'error_count', count(*) filter (where status = 'error') from outcomes group by all
    union all
    select
        is_current,
        'token_count',
        sum(coalesce(input_tokens + output_tokens, input_tokens, output_tokens))
    from calls group by all
    union all
    select is_current, 'cached_token_count', sum(cache_read_tokens) from calls group by all
),
beside as (
    select
        figure,
        max(value) filter (where is_current) as value,
        max(value) filter (where not is_current) as previous_value
    from figures
    group by figure
)
select
    figure,
    value,
    previous_value,
    (value - previous_value) / nullif(previous_value, 0) as change_ratio
from beside
order by figure
