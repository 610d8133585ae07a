-- grain: one actor of a trace: an agent, a tool, or the service for calls outside any agent; dearest first
-- params: trace
with
trace_spans as (
    select *
    from spans
    where trace_id = cast($trace as varchar)
),

models as (
    select
        if(agent_name is null, 'service', 'agent') as node_kind,
        coalesce(agent_name, service, 'unnamed service') as name,
        count(*) filter (where kind != 'agent') as call_count,
        count(*) filter (where status = 'error' and kind != 'agent') as error_count,
        sum(cost_usd) as cost_usd,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        arg_min(span_id, started_at) as span_id
    from llm_calls
    where trace_id = cast($trace as varchar)
    group by all
),

runs as (
    select
        'agent' as node_kind,
        agent_name as name,
        count(*) filter (where kind = 'agent') as run_count,
        count(*) filter (where status = 'error' and kind = 'agent') as error_count,
        quantile_cont(duration_ms, 0.95) filter (where kind = 'agent') as p95_ms,
        coalesce(
            arg_min(span_id, started_at) filter (where kind = 'agent'), arg_min(span_id, started_at)
        ) as span_id
    from trace_spans
    where agent_name is not null
    group by all
),

actors as (
    select
        coalesce(runs.node_kind, models.node_kind) as node_kind,
        coalesce(runs.name, models.name) as name,
        coalesce(nullif(runs.run_count, 0), models.call_count) as call_count,
        greatest(coalesce(runs.error_count, 0), coalesce(models.error_count, 0)) as error_count,
        coalesce(runs.p95_ms, models.p95_ms) as p95_ms,
        models.cost_usd,
        models.unpriced_call_count,
        coalesce(runs.span_id, models.span_id) as span_id
    from runs
    full join models on runs.node_kind = models.node_kind and runs.name = models.name
    union all
    select
        'tool' as node_kind,
        coalesce(tool_name, 'unnamed tool') as name,
        count(*) as call_count,
        count(*) filter (where status = 'error') as error_count,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        null as cost_usd,
        null as unpriced_call_count,
        coalesce(
            arg_min(span_id, started_at) filter (where status = 'error'), arg_max(span_id, duration_ms)
        ) as span_id
    from tool_calls
    where trace_id = cast($trace as varchar)
    group by all
)

select
    node_kind || ':' || name as node_id,
    *,
    cost_usd / nullif(sum(cost_usd) over (), 0) as cost_share
from actors
order by cost_usd desc nulls last, node_kind asc, call_count desc, name asc
limit 80
