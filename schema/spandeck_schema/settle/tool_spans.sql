-- grain: one span of a touched trace that is a tool call
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
