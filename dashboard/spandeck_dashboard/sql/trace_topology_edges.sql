-- grain: an actor of a trace and one that it called (an agent that it started or handed over to, a tool), with why
-- params: trace
with
trace_spans as (
    select
        *,
        if(agent_name is null, 'service:' || coalesce(service, 'unnamed service'), 'agent:' || agent_name) as actor
    from spans
    where trace_id = cast($trace as varchar)
),

moves as (
    select
        parents.actor as source_id,
        children.actor as target_id,
        'delegate' as kind,
        children.status,
        children.duration_ms,
        children.started_at
    from trace_spans as children
    inner join trace_spans as parents on children.parent_span_id = parents.span_id
    where children.kind = 'agent' and children.agent_name is not null and parents.actor != children.actor
    union all
    select
        if(handoff_from_agent is null, actor, 'agent:' || handoff_from_agent) as source_id,
        'agent:' || handoff_to_agent as target_id,
        'handoff' as kind,
        status,
        duration_ms,
        started_at
    from trace_spans
    where handoff_to_agent is not null
    union all
    select
        if(
            agent_name is null, 'service:' || coalesce(service, 'unnamed service'), 'agent:' || agent_name
        ) as source_id,
        'tool:' || coalesce(tool_name, 'unnamed tool') as target_id,
        'tool' as kind,
        status,
        duration_ms,
        started_at
    from tool_calls
    where trace_id = cast($trace as varchar)
)

select
    source_id,
    target_id,
    string_agg(distinct kind, ' and ' order by kind) as kind,
    count(*) as call_count,
    count(*) filter (where status = 'error') as error_count,
    quantile_cont(duration_ms, 0.95) as p95_ms,
    count(*) / max(count(*)) over () as share_of_busiest
from moves
group by source_id, target_id
order by min(started_at) asc, source_id asc, target_id asc
limit 200
