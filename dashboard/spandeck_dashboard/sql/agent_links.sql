-- grain: an actor of the period and one that it called (an agent that it started or handed over to, a tool), with why
-- params: since, until, service, model, agent
with
period as (
    select
        trace_id,
        span_id,
        parent_span_id,
        kind,
        agent_name,
        handoff_from_agent,
        handoff_to_agent,
        status,
        duration_ms,
        if(agent_name is null, 'service:' || coalesce(service, 'unnamed service'), 'agent:' || agent_name) as actor
    from spans
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

runs as (
    select * from period
    where kind = 'agent' and agent_name is not null and parent_span_id is not null
),

moves as (
    select
        parents.actor as source_id,
        runs.actor as target_id,
        'delegate' as kind,
        runs.status,
        runs.duration_ms
    from runs
    inner join period as parents on runs.trace_id = parents.trace_id and runs.parent_span_id = parents.span_id
    where parents.actor != runs.actor
    union all
    select
        if(handoff_from_agent is null, actor, 'agent:' || handoff_from_agent) as source_id,
        'agent:' || handoff_to_agent as target_id,
        'handoff' as kind,
        status,
        duration_ms
    from period
    where handoff_to_agent is not null
    union all
    select
        if(
            agent_name is null, 'service:' || coalesce(service, 'unnamed service'), 'agent:' || agent_name
        ) as source_id,
        'tool:' || coalesce(tool_name, 'unnamed tool') as target_id,
        'tool' as kind,
        status,
        duration_ms
    from tool_calls
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
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
where $agent is null or source_id = 'agent:' || $agent or target_id = 'agent:' || $agent
group by source_id, target_id
order by call_count desc, source_id asc, target_id asc
limit 150
