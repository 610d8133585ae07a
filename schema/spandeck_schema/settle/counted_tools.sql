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

alike as (
    select
        *,
        tool_call_id || chr(31) || tool_name as likeness
    from tools
    where
        tool_call_id in (
            select told.tool_call_id
            from tools as told
            group by told.tool_call_id
            having count(distinct told.scope) between 2 and 8
        )
),

chained as (
    select
        *,
        coalesce(
            started_us - lag(started_us) over (
                partition by likeness
                order by started_us, call_key
            ) > 2000000,
            true
        ) as begins_chain
    from alike
),

numbered as (
    select
        *,
        count(*) filter (where begins_chain) over (
            partition by likeness
            order by started_us, call_key
            rows between unbounded preceding and current row
        ) as chain
    from chained
),

placed as (
    select
        *,
        row_number() over (
            partition by likeness, chain, scope
            order by started_us, call_key
        ) as place
    from numbered
),

-- Of what one id, name and place tell, the most trusted stands.
twins as (
    select
        call_key,
        first(call_key) over (
            partition by likeness, chain, place
            order by store.trust_rank(family), call_key
        ) as told_key
    from placed
    qualify told_key != call_key
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
