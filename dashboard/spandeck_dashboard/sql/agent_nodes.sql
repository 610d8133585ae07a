-- grain: one actor of the period: an agent, a tool, or a service for calls outside any agent; dearest first
-- params: since, until, service, model, agent
with
calls as (
    select *
    from llm_calls
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and model is not distinct from coalesce($model, model)
        and agent_name is not distinct from coalesce($agent, agent_name)
),

tools as (
    select *
    from tool_calls
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and ($model is null or trace_id in (select trace_id from calls))
),

actors as (
    select
        if(agent_name is null, 'service', 'agent') as node_kind,
        coalesce(agent_name, service, 'unnamed service') as name,
        count(*) filter (where kind != 'agent') as call_count,
        count(*) filter (where status = 'error' and kind != 'agent') as error_count,
        quantile_cont(duration_ms, 0.95) filter (where kind = 'llm') as p95_ms,
        sum(cost_usd) as cost_usd,
        count(*) filter (where cost_usd is null and coalesce(input_tokens, output_tokens) is not null)
            as unpriced_call_count,
        coalesce(arg_max(trace_id, started_at) filter (where status = 'error'), arg_max(trace_id, started_at))
            as trace_id,
        coalesce(arg_max(span_id, started_at) filter (where status = 'error'), arg_max(span_id, started_at)) as span_id
    from calls
    group by all
    union all
    select
        'tool' as node_kind,
        coalesce(tool_name, 'unnamed tool') as name,
        count(*) as call_count,
        count(*) filter (where status = 'error') as error_count,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        null as cost_usd,
        null as unpriced_call_count,
        coalesce(arg_max(trace_id, started_at) filter (where status = 'error'), arg_max(trace_id, started_at))
            as trace_id,
        coalesce(arg_max(span_id, started_at) filter (where status = 'error'), arg_max(span_id, started_at)) as span_id
    from tools
    group by all
    union all
    -- agents that only pass work on have no call of their own
    select
        'agent' as node_kind,
        agent_name as name,
        count(*) as call_count,
        count(*) filter (where status = 'error') as error_count,
        quantile_cont(duration_ms, 0.95) as p95_ms,
        null as cost_usd,
        null as unpriced_call_count,
        arg_max(trace_id, started_at) as trace_id,
        arg_max(span_id, started_at) as span_id
    from spans
    where
        kind = 'agent' and agent_name is not null
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and agent_name is not distinct from coalesce($agent, agent_name)
        and $model is null
        and agent_name not in (select agent_name from calls where agent_name is not null)
    group by all
)

select
    node_kind || ':' || name as node_id,
    *,
    cost_usd / nullif(sum(cost_usd) over (), 0) as cost_share
from actors
order by cost_usd desc nulls last, node_kind asc, call_count desc, name asc
limit 60
