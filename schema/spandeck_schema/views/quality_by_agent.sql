-- grain: an agent whose spans, or whose traces, were evaluated; of a trace or session the agent is that of the root
create or replace view main.quality_by_agent as
with results as materialized (
    select * from main.evaluations
),

owners as (
    select
        trace_id,
        span_id,
        max(agent_name) as agent_name
    from (
        select
            trace_id,
            span_id,
            agent_name
        from store.calls
        where trace_id in (select results.trace_id from results)
        union all
        select
            trace_id,
            span_id,
            agent_name
        from store.spans
        where kind = 'agent' and trace_id in (select results.trace_id from results)
    ) as named
    group by trace_id, span_id
),

roots as (
    select
        trace_id,
        agent_name
    from store.traces
    where trace_id in (select results.trace_id from results)
)

select
    coalesce(owners.agent_name, roots.agent_name) as agent_name,
    count(*) as evaluation_count,
    count(results.hallucinated) as judged_count,
    count(*) filter (where results.hallucinated) as hallucinated_count,
    hallucinated_count / nullif(judged_count, 0) as hallucination_ratio
from results
left join owners
    on
        results.trace_id = owners.trace_id
        and results.span_id = owners.span_id
left join roots on results.trace_id = roots.trace_id
group by coalesce(owners.agent_name, roots.agent_name);
