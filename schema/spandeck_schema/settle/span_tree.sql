-- grain: one span of a touched trace with its nearest agent, its agent's run, and the calls (or usage) above it
-- A span whose parent is not stored is a root here: a lost or late parent must not hide what is below it.
-- Of the calls above a span the nearest 32 decide, and below the depth of 1,000 spans stand alone: deeper nesting is a
-- fault of the emitter, and without bounds its lists would grow with the square of the depth.
-- A run is the topmost of the agent spans of one agent: what is told twice is told inside itself.
with recursive nodes as (
    select
        trace_id,
        span_id,
        parent_span_id,
        agent_name as own_agent,
        kind in ('llm', 'embedding')
        or (kind != 'details' and coalesce(input_tokens, output_tokens) is not null) as is_call,
        kind = 'agent' as is_agent,
        case
            when kind in ('handoff', 'message') or (kind in ('tool', 'mcp') and handoff_to_agent is not null)
                then span_id
        end as hand_over_id
    from trace_spans
),

roots as (
    select nodes.*
    from nodes
    anti join nodes as parents
        on
            nodes.trace_id = parents.trace_id
            and nodes.parent_span_id = parents.span_id
),

tree as (
    select
        trace_id,
        span_id,
        own_agent as agent_name,
        is_call,
        cast([] as varchar[]) as call_ancestors,
        is_agent as begins_run,
        case when is_agent then span_id end as run_span_id,
        case when is_agent then own_agent end as run_agent,
        hand_over_id,
        1 as depth
    from roots
    union all
    select
        nodes.trace_id,
        nodes.span_id,
        coalesce(nodes.own_agent, tree.agent_name) as agent_name,
        nodes.is_call,
        case when tree.is_call then list_append(tree.call_ancestors, tree.span_id)[-32:] else tree.call_ancestors end
            as call_ancestors,
        (nodes.is_agent and nodes.own_agent is distinct from tree.run_agent) as is_new_run,
        case when is_new_run then nodes.span_id else tree.run_span_id end as run_span_id,
        case when is_new_run then nodes.own_agent else tree.run_agent end as run_agent,
        -- The nearest within the run: what began below it was handed over.
        case when not is_new_run then coalesce(nodes.hand_over_id, tree.hand_over_id) end as hand_over_id,
        tree.depth + 1 as depth
    from tree
    inner join nodes
        on
            tree.trace_id = nodes.trace_id
            and tree.span_id = nodes.parent_span_id
    where tree.depth < 1000
)

select
    nodes.trace_id,
    nodes.span_id,
    coalesce(tree.agent_name, nodes.own_agent) as agent_name,
    coalesce(tree.call_ancestors, []) as call_ancestors,
    coalesce(tree.run_span_id, case when nodes.is_agent then nodes.span_id end) as run_span_id,
    coalesce(tree.run_agent, case when nodes.is_agent then nodes.own_agent end) as run_agent,
    tree.hand_over_id
from nodes
left join tree using (trace_id, span_id)
