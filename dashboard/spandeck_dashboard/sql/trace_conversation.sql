-- grain: one content value of an agent, a model or a tool call of a trace, in the order of their starts
-- params: trace
with
first_start as (
    select min(epoch_us(started_at)) as started_us
    from spans
    where trace_id = cast($trace as varchar)
)

select
    spans.span_id,
    spans.name,
    spans.kind,
    spans.agent_name,
    spans.tool_name,
    coalesce(spans.response_model, spans.request_model) as model,
    spans.status,
    spans.error_type,
    spans.duration_ms,
    (epoch_us(spans.started_at) - first_start.started_us) / 1000.0 as offset_ms,
    span_content.name as value_name,
    span_content.side,
    left(span_content.content, 20000) as content,
    span_content.content_bytes
from span_content
inner join spans on span_content.trace_id = spans.trace_id and span_content.span_id = spans.span_id
cross join first_start
where
    span_content.trace_id = cast($trace as varchar) and spans.trace_id = cast($trace as varchar)
    and spans.kind in ('agent', 'llm', 'tool', 'retriever', 'workflow', 'chain')
    and span_content.side in ('instructions', 'input', 'output', 'documents')
    and spans.duplicate_of is null
order by
    if(span_content.side = 'output', spans.ended_at, spans.started_at) asc,
    spans.started_at asc,
    list_position(['instructions', 'input', 'documents', 'output'], span_content.side) asc,
    span_content.name asc
limit 400
