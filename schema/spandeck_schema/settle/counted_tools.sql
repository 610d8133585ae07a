-- grain: one tool call of a touched trace: whether it counts, and how it ended
-- A call over MCP is the one of the tool span around it, and so is one that another scope tells of the same tool;
-- the same call id told in two scopes is one call.
with tools as (
    select
        spans.trace_id || spans.span_id as call_key,
        spans.trace_id,
        spans.span_id,
        spans.parent_span_id,
        spans.kind,
        coalesce(spans.scope, '') as scope,
        spans.family,
        spans.tool_name,
        spans.tool_call_id,
        epoch_us(spans.started_at) as started_us,
        spans.status,
        tree.agent_name
    from trace_spans as spans
    inner join span_tree as tree using (trace_id, span_id)
    where spans.kind = 'tool' or (spans.kind = 'mcp' and spans.operation in ('tools/call', 'execute_tool'))
),

told_ids as (
    select tool_call_id
    from tools
    where tool_call_id is not null
    group by tool_call_id
    having count(distinct scope) between 2 and 8
),

tellers as (
    select
        tool_call_id,
        tool_name,
        scope,
        started_us,
        min(call_key) as call_key,
        arg_min(family, call_key) as family
    from tools
    semi join told_ids using (tool_call_id)
    group by all
),

told_scopes as (
    select distinct
        tool_call_id,
        tool_name,
        scope
    from tellers
),

-- Nearest before and nearest after, not all pairs: a thousand calls may have one id.
seekers as (
    select
        tools.call_key,
        tools.family,
        tools.tool_call_id,
        tools.tool_name,
        tools.started_us,
        scopes.scope as twin_scope
    from tools
    inner join told_scopes as scopes
        on
            tools.tool_call_id = scopes.tool_call_id
            and tools.tool_name = scopes.tool_name
            and tools.scope != scopes.scope
),

neighbours as (
    select
        seekers.*,
        tellers.call_key as twin_key,
        tellers.family as twin_family,
        seekers.started_us - tellers.started_us as distance_us
    from seekers
    asof inner join tellers
        on
            seekers.tool_call_id = tellers.tool_call_id
            and seekers.tool_name = tellers.tool_name
            and seekers.twin_scope = tellers.scope
            and seekers.started_us >= tellers.started_us
    union all
    select
        seekers.*,
        tellers.call_key as twin_key,
        tellers.family as twin_family,
        tellers.started_us - seekers.started_us as distance_us
    from seekers
    asof inner join tellers
        on
            seekers.tool_call_id = tellers.tool_call_id
            and seekers.tool_name = tellers.tool_name
            and seekers.twin_scope = tellers.scope
            and seekers.started_us <= tellers.started_us
),

nearest as (
    select
        call_key,
        twin_key,
        (store.trust_rank(twin_family), twin_key) < (store.trust_rank(family), call_key) as yields
    from neighbours
    where distance_us <= 2000000
    qualify row_number() over (
        partition by call_key, twin_scope
        order by distance_us, twin_key
    ) = 1
),

twins as (
    select
        nearest.call_key,
        min(nearest.twin_key) as told_key
    from nearest
    inner join nearest as back
        on
            nearest.call_key = back.twin_key
            and nearest.twin_key = back.call_key
    where nearest.yields
    group by nearest.call_key
),

around as (
    select
        below.call_key,
        above.call_key as told_key
    from tools as below
    inner join tools as above
        on
            below.trace_id = above.trace_id
            and below.parent_span_id = above.span_id
            and below.tool_name = above.tool_name
    where
        -- No two calls may each be the other one: then neither would count.
        case
            when below.kind = 'mcp'
                then (above.call_key, below.call_key) not in (select (call_key, told_key) from twins)
            else
                below.scope != above.scope
                and below.call_key not in (
                    select call_key from twins
                    union all
                    select told_key from twins
                )
        end
),

judged as (
    select
        trace_id,
        parent_span_id as span_id,
        arg_min(error_type, (started_at, span_id)) as error_type,
        arg_min(error_message, (started_at, span_id)) as error_message
    from trace_spans
    where judges_parent and status = 'error'
    group by all
)

select
    tools.trace_id,
    tools.span_id,
    tools.agent_name,
    coalesce(around.told_key, twins.told_key) is null as counted,
    case when counted then 'leaf' else 'same_tool_call' end as reason,
    coalesce(around.told_key, twins.told_key)[:32] as duplicate_trace_id,
    coalesce(around.told_key, twins.told_key)[33:] as duplicate_of,
    case when judged.span_id is not null then 'error' else tools.status end as status,
    judged.error_type,
    judged.error_message
from tools
left join twins using (call_key)
left join around using (call_key)
left join judged
    on
        tools.trace_id = judged.trace_id
        and tools.span_id = judged.span_id
