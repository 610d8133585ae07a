-- grain: one agent and what it called in one way (kind) in a trace; cost: what the called agent's own calls cost
create or replace view main.agent_edges as
with edges as (
    select
        trace_id,
        called_as as kind,
        from_agent,
        agent_name as target,
        duration_ms,
        status,
        cost_usd
    from store.agent_runs
    where called_as is not null
    union all
    select
        trace_id,
        'tool' as kind,
        agent_name as from_agent,
        tool_name as target,
        duration_ms,
        status,
        cast(null as double) as cost_usd
    from store.calls
    where counted and calls.kind = 'tool'
)

select
    edges.trace_id,
    traces.started_at,
    traces.service,
    traces.architecture,
    edges.kind,
    edges.from_agent,
    edges.target,
    count(*) as call_count,
    count(*) filter (where edges.status = 'error') as error_count,
    quantile_cont(edges.duration_ms, 0.95) as p95_ms,
    sum(edges.cost_usd) as cost_usd
from edges
inner join main.traces on edges.trace_id = traces.trace_id
group by all;
