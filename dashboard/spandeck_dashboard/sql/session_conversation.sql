-- grain: one content value of an agent, a model or a tool call of a session, in the order of their starts
-- params: session
with
session_traces as (
    select
        trace_id,
        min(started_at) over () as began_at
    from traces
    where session_id = cast($session as varchar)
    order by started_at asc
    limit 50
)

select
    spans.trace_id,
    spans.span_id,
    spans.name,
    spans.kind,
    spans.agent_name,
    spans.tool_name,
    coalesce(spans.response_model, spans.request_model) as model,
    spans.status,
    spans.error_type,
    (epoch_us(spans.started_at) - epoch_us(session_traces.began_at)) / 1000.0 as offset_ms,
    span_content.side,
    left(span_content.content, 20000) as content
from session_traces
inner join spans on session_traces.trace_id = spans.trace_id
inner join span_content on spans.trace_id = span_content.trace_id and spans.span_id = span_content.span_id
where
    spans.kind in ('agent', 'llm', 'tool', 'retriever', 'workflow', 'chain')
    and span_content.side in ('instructions', 'input', 'output', 'documents')
    and spans.duplicate_of is null
order by
    if(span_content.side = 'output', spans.ended_at, spans.started_at) asc,
    spans.started_at asc,
    list_position(['instructions', 'input', 'documents', 'output'], span_content.side) asc
limit 400
