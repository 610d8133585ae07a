-- grain: one tool call of a touched trace: whether it counts, and how it ended
-- A call over MCP is the one of the tool span around it, and so is one that another scope tells of the same tool;
-- the same call id told in two scopes is one call.
-- Of what one id, name and place tell, the most trusted stands.
with twins as (
    select
        tools.call_key,
        first(tools.call_key) over (
            partition by twin_places.likeness, twin_places.chain, twin_places.place
            order by store.trust_rank(tools.family), tools.call_key
        ) as told_key
    from tool_spans as tools
    inner join twin_places using (call_key)
    where twin_places.basis = 'tool_call'
    qualify told_key != tools.call_key
),

around as (
    select
        below.call_key,
        above.call_key as told_key
    from tool_spans as below
    inner join tool_spans as above
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
from tool_spans as tools
left join twins using (call_key)
left join around using (call_key)
left join judged
    on
        tools.trace_id = judged.trace_id
        and tools.span_id = judged.span_id
