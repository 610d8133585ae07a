-- grain: one span of the step with a fact whose source is not stored: content that left the attributes, other flags
update new_spans
set
    tool_input_hash = case
        when new_spans.kind in ('tool', 'mcp') then coalesce(new_spans.tool_input_hash, replaced.tool_input_hash)
    end,
    handoff_to_agent = case
        when new_spans.kind in ('tool', 'mcp') then coalesce(new_spans.handoff_to_agent, replaced.handoff_to_agent)
        else new_spans.handoff_to_agent
    end,
    flags = list_concat(new_spans.flags, replaced.other_flags)
from (
    select
        trace_id,
        span_id,
        tool_input_hash,
        handoff_to_agent,
        list_filter(
            flags,
            lambda flag: flag not in ('no_start', 'incomplete', 'clock_skew', 'future')
        ) as other_flags
    from replaced_spans
) as replaced
where
    new_spans.trace_id = replaced.trace_id
    and new_spans.span_id = replaced.span_id
    and (new_spans.tool_input_hash is null or replaced.other_flags != [])
    and (replaced.tool_input_hash is not null or replaced.other_flags != [])
