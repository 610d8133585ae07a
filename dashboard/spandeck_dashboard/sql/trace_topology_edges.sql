-- grain: an actor of a trace and one that it called, by agent_edges; of two ways to call it the slower p95
-- params: trace
with
edges as (
    select
        coalesce('agent:' || from_agent, 'service:' || coalesce(service, 'unnamed service')) as source_id,
        if(kind = 'tool', 'tool:' || coalesce(target, 'unnamed tool'), 'agent:' || target) as target_id,
        kind,
        call_count,
        error_count,
        p95_ms
    from agent_edges
    where trace_id = cast($trace as varchar)
)

select
    source_id,
    target_id,
    string_agg(distinct kind, ' and ' order by kind) as kind,
    cast(sum(call_count) as bigint) as call_count,
    cast(sum(error_count) as bigint) as error_count,
    max(p95_ms) as p95_ms,
    sum(call_count) / max(sum(call_count)) over () as share_of_busiest
from edges
where target_id is not null
group by source_id, target_id
order by call_count desc, source_id asc, target_id asc
limit 200
