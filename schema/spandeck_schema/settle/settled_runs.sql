-- grain: one row of store.agent_runs for a touched trace
-- A run is called by the run above it, and how is said by the handoff or message between them, which then is called_as
-- nothing itself. A tool that waits for the agent that it names delegates.
with sums as (
    select
        tree.trace_id,
        tree.run_span_id as span_id,
        count(*) filter (where calls.kind = 'llm') as llm_call_count,
        count(*) filter (where calls.kind = 'llm' and calls.status = 'error') as failed_llm_call_count,
        count(*) filter (where calls.kind = 'tool') as tool_call_count,
        count(*) filter (where calls.kind = 'tool' and calls.status = 'error') as failed_tool_call_count,
        sum(calls.input_tokens) as input_tokens,
        sum(calls.output_tokens) as output_tokens,
        sum(calls.cost_usd) as cost_usd,
        count(*) filter (
            where
            calls.kind != 'tool'
            and calls.cost_usd is null
            and coalesce(calls.input_tokens, calls.output_tokens) is not null
        ) as unpriced_call_count
    from settled_calls as calls
    inner join span_tree as tree using (trace_id, span_id)
    where calls.counted and tree.run_span_id is not null
    group by all
),

told as materialized (
    select
        spans.trace_id,
        spans.span_id,
        spans.parent_span_id,
        tree.run_span_id = spans.span_id as is_run,
        spans.kind in ('tool', 'mcp') as is_tool,
        spans.kind,
        tree.run_agent,
        spans.agent_name,
        spans.handoff_from_agent,
        spans.handoff_to_agent,
        spans.agent_id,
        spans.service,
        spans.started_at,
        spans.duration_ms,
        spans.status,
        spans.error_type,
        spans.error_message,
        spans.loop_count,
        spans.route_tier,
        spans.degraded
    from trace_spans as spans
    inner join span_tree as tree using (trace_id, span_id)
    where
        (spans.kind = 'agent' and tree.run_span_id = spans.span_id)
        or spans.kind in ('handoff', 'message')
        or (spans.kind in ('tool', 'mcp') and spans.handoff_to_agent is not null)
),

moves as materialized (
    select
        told.* exclude (parent_span_id, is_run, kind, run_agent, agent_name, handoff_to_agent),
        case
            when told.is_run then 'run'
            when told.kind = 'message' then 'message'
            else 'handoff'
        end as kind,
        case when told.is_run then above.run_agent else told.run_agent end as run_agent,
        case when told.is_run then above.hand_over_id end as hand_over_id,
        case when told.is_run then told.agent_name else told.handoff_to_agent end as agent_name
    from told
    left join span_tree as above
        on
            told.trace_id = above.trace_id
            and told.parent_span_id = above.span_id
),

taken_over as (
    select distinct
        trace_id,
        hand_over_id as span_id
    from moves
    where hand_over_id is not null
)

select
    moves.trace_id,
    moves.span_id,
    moves.kind,
    case
        when moves.kind != 'run' then case when taken_over.span_id is null then moves.kind end
        when not hand_overs.is_tool then hand_overs.kind
        when coalesce(hand_overs.handoff_from_agent, moves.run_agent) is not null then 'delegate'
    end as called_as,
    coalesce(moves.handoff_from_agent, hand_overs.handoff_from_agent, moves.run_agent) as from_agent,
    moves.agent_name,
    moves.agent_id,
    moves.service,
    context.session_id,
    context.user_id,
    moves.started_at,
    moves.duration_ms,
    moves.status,
    moves.error_type,
    moves.error_message,
    moves.loop_count,
    moves.route_tier,
    moves.degraded,
    coalesce(sums.llm_call_count, 0) as llm_call_count,
    coalesce(sums.failed_llm_call_count, 0) as failed_llm_call_count,
    coalesce(sums.tool_call_count, 0) as tool_call_count,
    coalesce(sums.failed_tool_call_count, 0) as failed_tool_call_count,
    cast(sums.input_tokens as bigint) as input_tokens,
    cast(sums.output_tokens as bigint) as output_tokens,
    sums.cost_usd,
    coalesce(sums.unpriced_call_count, 0) as unpriced_call_count,
    context.first_received_at
from moves
inner join trace_context as context using (trace_id)
left join moves as hand_overs
    on
        moves.trace_id = hand_overs.trace_id
        and moves.hand_over_id = hand_overs.span_id
left join taken_over
    on
        moves.trace_id = taken_over.trace_id
        and moves.span_id = taken_over.span_id
left join sums
    on
        moves.trace_id = sums.trace_id
        and moves.span_id = sums.span_id
