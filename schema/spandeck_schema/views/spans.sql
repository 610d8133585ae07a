-- grain: one stored span
-- Joined on started_at too, so that a range of time or a trace prunes both sides.
create or replace view main.spans as
select
    spans.* exclude (
        agent_name,
        tool_input_hash,
        judges_parent,
        run_id,
        project,
        started_rest_ns,
        ended_rest_ns,
        status_message,
        links,
        received_at,
        attributes,
        resource,
        cache_kind,
        cache_saved_usd,
        loop_count,
        memory_tier,
        guard_action,
        route_tier,
        degraded
    ),
    coalesce(calls.agent_name, spans.agent_name) as agent_name,
    spans.project,
    spans.run_id,
    spans.cache_kind,
    spans.cache_saved_usd,
    spans.loop_count,
    spans.memory_tier,
    spans.guard_action,
    spans.route_tier,
    spans.degraded,
    calls.counted,
    calls.duplicate_of,
    calls.duplicate_trace_id,
    calls.reason,
    calls.cost_usd,
    calls.price_id,
    spans.links,
    spans.received_at,
    spans.attributes,
    spans.resource
from store.spans
left join store.calls
    on
        spans.trace_id = calls.trace_id
        and spans.span_id = calls.span_id
        and spans.started_at = calls.started_at
        -- A tool with usage has two rows in calls; an equality keeps this a hash join.
        and (calls.kind = 'tool') = (
            spans.kind in ('tool', 'mcp') and coalesce(spans.input_tokens, spans.output_tokens) is null
        )
-- What a log adds to a span is in its call.
where spans.kind != 'details';
