-- grain: one span of the step whose content left the attributes; what was read from it stays
update new_spans
set tool_input_hash = replaced_spans.tool_input_hash
from replaced_spans
where
    new_spans.trace_id = replaced_spans.trace_id
    and new_spans.span_id = replaced_spans.span_id
    and new_spans.kind in ('tool', 'mcp')
    and new_spans.tool_input_hash is null
    and replaced_spans.tool_input_hash is not null
